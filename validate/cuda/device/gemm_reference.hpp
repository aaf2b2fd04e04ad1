// A slow and plain matrix product in double precision, at random places of the output. Needs the CUDA runtime's header.
#pragma once

#include <cuda_runtime.h>

#include <string>

#include "validate/cuda/operation/gemm_shape.hpp"

namespace mlosim::measure {

struct GemmOperands {
  const void* activations = nullptr;
  const void* weights = nullptr;
  const void* output = nullptr;
  double scale = 1;  // of the product
};

// Empty where 512 outputs are what double precision gives, within the rounding of the formats; otherwise the worst one
// in words. The bound for one output is `round * (|c| + rms) + accumulate * sum |a w|`: rounding of the output and of
// partial sums, and the accumulators' own (14 bits for fp8 on Hopper).
std::string compare_with_reference(const GemmShape& shape, const GemmOperands& operands, cudaStream_t stream);

}  // namespace mlosim::measure
