// Instructions of the vector and special-function units whose rate is measured. Host side only: no CUDA.
#pragma once

#include <string_view>
#include <vector>

namespace mlosim::measure {

enum class VectorOperation { fma_fp32, add_fp32, fma_fp16x2, fma_bf16x2, fma_fp64, mad_int32, ex2, rcp, rsqrt, sin };

const std::vector<VectorOperation>& all_vector_operations();
const char* to_string(VectorOperation operation);
// The spelling of to_string; another one is a mistake of ours: std::logic_error.
VectorOperation vector_operation_of(std::string_view name);

// Of its operands: "fp32".
const char* dtype_name(VectorOperation operation);
// Those of the special-function unit.
bool is_special_function(VectorOperation operation);
// Numbers that one thread's instruction makes: two where they are packed.
int results_of(VectorOperation operation);
// Floating-point operations a number: two for a multiply-add, none for whole numbers and special functions.
int flops_of(VectorOperation operation);

}  // namespace mlosim::measure
