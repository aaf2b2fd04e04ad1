// One matrix product of the contract's op `gemm`: for each of `batch`, C[m,n] = A[m,k] * W[n,k]^T, all row-major. Host
// side only: no CUDA.
#pragma once

#include <cstdint>

#include "validate/cuda/measure/case.hpp"
#include "validate/cuda/operation/dtype.hpp"

namespace mlosim::measure {

// Copies of the weights to go round, at most (cases/rotation.hpp).
inline constexpr std::int64_t kMostWeightCopies = 64;

struct GemmShape {
  DType dtype = DType::bf16;
  std::int64_t batch = 1, m = 1, n = 1, k = 1;

  std::int64_t activation_bytes() const { return batch * m * k * bytes_of(dtype); }
  std::int64_t weight_bytes() const { return batch * n * k * bytes_of(dtype); }
  std::int64_t output_bytes() const { return batch * m * n * output_bytes_of(dtype); }
  double flops() const;
};

Cells identity_of(const GemmShape& shape);
GemmShape gemm_shape_of(const Cells& identity);

// What cuBLAS itself takes where a user sets nothing: 32 MiB from Hopper on, 4 MiB before.
std::int64_t gemm_workspace_bytes(const DeviceFacts& facts);

Plan plan_gemm(const GemmShape& shape, const DeviceFacts& facts);

// Columns of a row: the shape; what the library tells of the algorithm that it chose, and what follows from the time.
std::vector<std::string> gemm_keys();
std::vector<std::string> gemm_results();

}  // namespace mlosim::measure
