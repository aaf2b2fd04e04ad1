#include "validate/cuda/device/matmul.hpp"

#include <array>
#include <map>
#include <optional>

#include "validate/cuda/device/cuda_check.hpp"

namespace mlosim::measure {
namespace {

// Row-major C[m,n] = A[m,k] W[n,k]^T is column-major C^T[n,m] = (W^T)^T A^T: the library sees W as k x n, transposed,
// and A as k x m.
struct Formats {
  cudaDataType_t operands, output, scale;
  cublasComputeType_t compute;
};

Formats formats_of(DType dtype) {
  switch (dtype) {
    case DType::fp32:
      return {CUDA_R_32F, CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F};
    case DType::tf32:
      return {CUDA_R_32F, CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32};
    case DType::fp16:
      return {CUDA_R_16F, CUDA_R_16F, CUDA_R_32F, CUBLAS_COMPUTE_32F};
    case DType::bf16:
      return {CUDA_R_16BF, CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F};
    case DType::fp8:
      return {CUDA_R_8F_E4M3, CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F};
    case DType::int8:
      return {CUDA_R_8I, CUDA_R_32I, CUDA_R_32I, CUBLAS_COMPUTE_32I};
  }
  return {};
}

// Of the weights and of the activations, for fp8; 16 bytes apart, so that each is aligned as any scales may have to be.
constexpr int kScaleDistance = 4;
constexpr std::array<float, kScaleDistance + 1> kScales = {0.5f, 0, 0, 0, 0.25f};

void check_blas(cublasStatus_t status, const char* call, const char* file, int line) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_ARCH_MISMATCH)
    throw Unsupported(std::string("cuBLASLt answers ") + cublasLtGetStatusName(status));
  const std::string named = std::string(call) + " [" + cublasLtGetStatusName(status) + "]";
  const cudaError_t code = status == CUBLAS_STATUS_ALLOC_FAILED ? cudaErrorMemoryAllocation : cudaErrorUnknown;
  throw CudaError(code, named.c_str(), file, line);
}

#define MEASURE_BLAS(call) check_blas((call), #call, __FILE__, __LINE__)

cublasLtHandle_t make_library() {
  cublasLtHandle_t handle = nullptr;
  MEASURE_BLAS(cublasLtCreate(&handle));
  return handle;
}

cublasLtMatmulDesc_t make_product(DType dtype) {
  const Formats formats = formats_of(dtype);
  cublasLtMatmulDesc_t product = nullptr;
  MEASURE_BLAS(cublasLtMatmulDescCreate(&product, formats.compute, formats.scale));
  return product;
}

struct Matrix {
  cudaDataType_t format;
  std::int64_t rows, cols, batch;
};

cublasLtMatrixLayout_t make_layout(const Matrix& matrix) {
  cublasLtMatrixLayout_t layout = nullptr;
  MEASURE_BLAS(cublasLtMatrixLayoutCreate(&layout, matrix.format, static_cast<std::uint64_t>(matrix.rows),
                                          static_cast<std::uint64_t>(matrix.cols), matrix.rows));
  if (matrix.batch == 1) return layout;
  const std::int32_t count = static_cast<std::int32_t>(matrix.batch);
  const std::int64_t stride = matrix.rows * matrix.cols;
  MEASURE_BLAS(cublasLtMatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count));
  MEASURE_BLAS(
      cublasLtMatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof stride));
  return layout;
}

template <typename T>
void set(cublasLtMatmulDesc_t product, cublasLtMatmulDescAttributes_t attribute, T value) {
  MEASURE_BLAS(cublasLtMatmulDescSetAttribute(product, attribute, &value, sizeof value));
}

// Nothing where this algorithm or library does not tell.
std::optional<std::uint32_t> attribute_of(const cublasLtMatmulAlgo_t& algorithm,
                                          cublasLtMatmulAlgoConfigAttributes_t attribute, std::size_t bytes = 4) {
  std::uint32_t value = 0;
  std::size_t written = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoConfigGetAttribute(&algorithm, attribute, &value, bytes, &written);
  if (status != CUBLAS_STATUS_SUCCESS) return std::nullopt;
  return value;
}

using Names = std::map<std::uint32_t, const char*>;

// Of the toolkit's own header, which grows with each release: matmul_names.cmake reads it.
const Names kTiles = {
#include <matmul_tiles.inc>
};
const Names kStages = {
#include <matmul_stages.inc>
};
const Names kClusters = {
#include <matmul_clusters.inc>
};

// The number itself where the header has no name for it (0: left to the library).
std::string name_in(const Names& names, std::uint32_t value) {
  const auto name = names.find(value);
  return name == names.end() ? std::to_string(value) : name->second;
}

}  // namespace

std::string matmul_library() {
  const std::size_t version = cublasLtGetVersion();
  // Since 12.0 the version is major * 10000 + minor * 100 + patch.
  return "cublasLt " + std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

Matmul::Matmul(const GemmShape& shape, std::int64_t workspace_bytes, int candidates)
    : dtype_(shape.dtype),
      workspace_(static_cast<std::size_t>(workspace_bytes)),
      scales_(sizeof kScales),
      library_(make_library(), cublasLtDestroy),
      product_(make_product(shape.dtype), cublasLtMatmulDescDestroy),
      weights_(make_layout({formats_of(dtype_).operands, shape.k, shape.n, shape.batch}), cublasLtMatrixLayoutDestroy),
      activations_(make_layout({formats_of(dtype_).operands, shape.k, shape.m, shape.batch}),
                   cublasLtMatrixLayoutDestroy),
      output_(make_layout({formats_of(dtype_).output, shape.n, shape.m, shape.batch}), cublasLtMatrixLayoutDestroy) {
  MEASURE_CUDA(cudaMemcpy(scales_.data(), kScales.data(), sizeof kScales, cudaMemcpyHostToDevice));
  describe_product();
  find_algorithms(candidates);
}

void Matmul::describe_product() {
  set(product_.get(), CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  set(product_.get(), CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N);
  if (dtype_ != DType::fp8) return;
  const float* scales = scales_.as<float>();
  set<const void*>(product_.get(), CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, scales);
  set<const void*>(product_.get(), CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, scales + kScaleDistance);
  set<std::int8_t>(product_.get(), CUBLASLT_MATMUL_DESC_FAST_ACCUM, 1);
}

void Matmul::find_algorithms(int candidates) {
  cublasLtMatmulPreference_t made = nullptr;
  MEASURE_BLAS(cublasLtMatmulPreferenceCreate(&made));
  const Owned<cublasLtMatmulPreference_t> preference(made, cublasLtMatmulPreferenceDestroy);
  const std::uint64_t bytes = workspace_.bytes();
  MEASURE_BLAS(
      cublasLtMatmulPreferenceSetAttribute(made, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes, sizeof bytes));
  algorithms_.resize(static_cast<std::size_t>(candidates));
  int found = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(library_.get(), product_.get(), weights_.get(), activations_.get(), output_.get(),
                                     output_.get(), made, candidates, algorithms_.data(), &found);
  // Sizes or strides that a format forbids are invalid values to some releases and unsupported to others.
  MEASURE_BLAS(status == CUBLAS_STATUS_INVALID_VALUE ? CUBLAS_STATUS_NOT_SUPPORTED : status);
  algorithms_.resize(static_cast<std::size_t>(found));
  std::erase_if(algorithms_, [](const auto& result) { return result.state != CUBLAS_STATUS_SUCCESS; });
  if (algorithms_.empty()) throw Unsupported("cuBLASLt knows no algorithm for this product");
}

void Matmul::enqueue(const void* activations, const void* weights, void* output, cudaStream_t stream) const {
  // As wide as the scale type: for int8 whole numbers.
  const float one = 1, zero = 0;
  const std::int32_t whole_one = 1, whole_zero = 0;
  const bool is_whole = dtype_ == DType::int8;
  const void* alpha = is_whole ? static_cast<const void*>(&whole_one) : &one;
  const void* beta = is_whole ? static_cast<const void*>(&whole_zero) : &zero;
  MEASURE_BLAS(cublasLtMatmul(library_.get(), product_.get(), alpha, weights, weights_.get(), activations,
                              activations_.get(), beta, output, output_.get(), output, output_.get(),
                              &algorithms_[static_cast<std::size_t>(chosen_)].algo, workspace_.data(),
                              workspace_.bytes(), stream));
}

double Matmul::scale() const { return dtype_ == DType::fp8 ? double{kScales[0]} * kScales[kScaleDistance] : 1; }

Cells Matmul::description() const {
  const cublasLtMatmulHeuristicResult_t& chosen = algorithms_[static_cast<std::size_t>(chosen_)];
  Cells cells;
  const auto number = [&](const char* column, cublasLtMatmulAlgoConfigAttributes_t attribute) {
    if (const auto value = attribute_of(chosen.algo, attribute)) cells.push_back(integer_cell(column, *value));
  };
  const auto named = [&](const char* column, const Names& names, std::optional<std::uint32_t> value) {
    if (value) cells.push_back({column, name_in(names, *value)});
  };
  number("algorithm", CUBLASLT_ALGO_CONFIG_ID);
  named("tile", kTiles, attribute_of(chosen.algo, CUBLASLT_ALGO_CONFIG_TILE_ID));
  named("stages", kStages, attribute_of(chosen.algo, CUBLASLT_ALGO_CONFIG_STAGES_ID));
  number("split_k", CUBLASLT_ALGO_CONFIG_SPLITK_NUM);
  number("reduction", CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME);
  number("swizzle", CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING);
  named("cluster", kClusters, attribute_of(chosen.algo, CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID, 2));
  cells.push_back(integer_cell("workspace_bytes", static_cast<std::int64_t>(chosen.workspaceSize)));
  return cells;
}

}  // namespace mlosim::measure
