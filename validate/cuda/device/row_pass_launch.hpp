// Which kernel of kernels/row_pass.cuh makes a pass, in how many blocks. Needs the CUDA runtime's header.
#pragma once

#include <cuda_runtime.h>

#include "validate/cuda/operation/row_pass.hpp"

namespace mlosim::measure {

struct RowPassBuffers {
  const void* input = nullptr;   // rows x cols; silu_mul: rows x 2 cols, the gate first
  const void* second = nullptr;  // add: another matrix; norms: a row of weights
  const void* bias = nullptr;    // LayerNorm: a row
  void* output = nullptr;
};

inline constexpr double kQuantizeScale = 16;  // numbers are multiplied by it before they are cast to e4m3
inline constexpr double kNormEpsilon = 1e-5;

// Throws Unsupported where a row is no whole number of 16 bytes or there are 2^32 vectors or more.
void enqueue_row_pass(const RowPass& pass, const RowPassBuffers& buffers, cudaStream_t stream);

}  // namespace mlosim::measure
