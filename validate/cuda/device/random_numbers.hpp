// Random operands in the formats of the compute cases. Needs the CUDA runtime's header.
#pragma once

#include "validate/cuda/device/device_buffer.hpp"
#include "validate/cuda/operation/dtype.hpp"

namespace mlosim::measure {

// Normal numbers with this standard deviation; for int8 whole numbers from -127 to 127, each as likely. Zeros and
// constants would draw less power and run faster than real data.
void fill_normal(const DeviceBuffer& buffer, DType dtype, double deviation, std::uint64_t seed, cudaStream_t stream);

// A bf16 buffer of small whole numbers (kernels/hash.cuh), whose sums over ranks are exact.
void fill_small_integers(const DeviceBuffer& buffer, std::uint64_t seed, cudaStream_t stream);

}  // namespace mlosim::measure
