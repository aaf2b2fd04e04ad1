// Number formats of the operands of the compute cases, with their nominal rates for guessing a state's time. Host side
// only: no CUDA.
#pragma once

#include <cstdint>
#include <string_view>

#include "validate/cuda/measure/device_facts.hpp"

namespace mlosim::measure {

enum class DType { fp32, tf32, fp16, bf16, fp8, int8 };

const char* to_string(DType dtype);
// The spelling of to_string; another one is a mistake of ours: std::logic_error.
DType dtype_of(std::string_view name);
// Of one element in memory: tf32 lies there as fp32.
std::int64_t bytes_of(DType dtype);
// Of what a matrix product of such operands writes: fp8 gives bf16 and int8 gives int32.
std::int64_t output_bytes_of(DType operands);

// Of the units that multiply matrices of this format (fp32: the vector units), dense.
double nominal_flops_per_s(DType dtype, const DeviceFacts& facts);

}  // namespace mlosim::measure
