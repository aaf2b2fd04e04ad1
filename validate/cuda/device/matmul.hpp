// One matrix product through cuBLASLt with an algorithm of the library's choice. Needs the CUDA runtime's header.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "validate/cuda/device/device_buffer.hpp"
#include "validate/cuda/operation/gemm_shape.hpp"

namespace mlosim::measure {

// "cublasLt 13.1.0"
std::string matmul_library();

class Matmul {
 public:
  // Asks the library for up to `candidates` algorithms, best guess first. Throws Unsupported with the library's status
  // where it has none. fp8 is e4m3 with a scale for each operand, fast accumulation and bf16 output; int8 gives int32.
  Matmul(const GemmShape& shape, std::int64_t workspace_bytes, int candidates = 1);

  int candidates() const { return static_cast<int>(algorithms_.size()); }
  void choose(int candidate) { chosen_ = candidate; }

  // C = A * W^T, row-major; fp8 operands are multiplied by `scale` together.
  void enqueue(const void* activations, const void* weights, void* output, cudaStream_t stream) const;
  double scale() const;

  // algorithm, tile, stages, split_k, reduction, swizzle, cluster, workspace_bytes of the chosen one, as far as the
  // library tells.
  Cells description() const;

 private:
  // cublasLt's handles and descriptors are pointers to what is hidden.
  template <typename Handle>
  using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, cublasStatus_t (*)(Handle)>;

  void describe_product();
  void find_algorithms(int candidates);

  DType dtype_;
  DeviceBuffer workspace_;
  DeviceBuffer scales_;  // floats on the device, for fp8
  Owned<cublasLtHandle_t> library_;
  Owned<cublasLtMatmulDesc_t> product_;
  Owned<cublasLtMatrixLayout_t> weights_, activations_, output_;
  std::vector<cublasLtMatmulHeuristicResult_t> algorithms_;
  int chosen_ = 0;
};

}  // namespace mlosim::measure
