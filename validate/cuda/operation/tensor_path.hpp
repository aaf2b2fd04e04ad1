// Ways to the matrix units, and which one is a GPU's own. Host side only: no CUDA.
#pragma once

#include <optional>
#include <string_view>

#include "validate/cuda/operation/gemm_shape.hpp"

namespace mlosim::measure {

enum class TensorPath { wgmma, mma_sync, cublaslt };

const char* to_string(TensorPath path);
// The spelling of to_string; another one is a mistake of ours: std::logic_error.
TensorPath tensor_path_of(std::string_view name);

// Hopper is reached in full by wgmma, other GPUs by mma.sync; none for the data-centre Blackwells (10.x), whose tcgen05
// is used through the library alone.
std::optional<TensorPath> native_instruction(int capability);

// The product that stands for the library's best rate.
GemmShape large_product(DType dtype);

}  // namespace mlosim::measure
