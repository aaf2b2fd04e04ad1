#include "validate/cuda/device/row_pass_launch.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/kernels/row_pass.cuh"

namespace mlosim::measure {
namespace {

constexpr int kWarp = 32;
constexpr int kWarpsOfShortRows = 8;  // rows of at most 64 vectors: a warp each, 8 to a block
constexpr int kMostThreads = 1024;
constexpr int kFew = 2, kMany = 8;  // vectors of a thread

struct Grid {
  dim3 blocks, threads;
};

void launch(void (*kernel)(RowPassArguments), const Grid& grid, const RowPassArguments& arguments,
            cudaStream_t stream) {
  kernel<<<grid.blocks, grid.threads, 0, stream>>>(arguments);
  MEASURE_CUDA(cudaGetLastError());
}

template <RowPassKind kind, typename T>
void launch_elementwise(const RowPassArguments& arguments, cudaStream_t stream) {
  constexpr std::int64_t kPerBlock = std::int64_t{kElementwiseThreads} * kElementwiseVectors;
  const std::int64_t blocks = (arguments.rows * arguments.vectors + kPerBlock - 1) / kPerBlock;
  launch(elementwise_pass<kind, T>, {dim3(static_cast<unsigned>(blocks)), dim3(kElementwiseThreads)}, arguments,
         stream);
}

Grid row_grid(const RowPassArguments& arguments, int vectors_of_a_thread) {
  const std::int64_t wanted = (arguments.vectors + vectors_of_a_thread - 1) / vectors_of_a_thread;
  const std::int64_t threads = std::min<std::int64_t>((wanted + kWarp - 1) / kWarp * kWarp, kMostThreads);
  const std::int64_t rows = threads == kWarp ? kWarpsOfShortRows : 1;
  return {dim3(static_cast<unsigned>((arguments.rows + rows - 1) / rows)),
          dim3(static_cast<unsigned>(threads), static_cast<unsigned>(rows))};
}

template <RowPassKind kind, typename T>
void launch_row(const RowPassArguments& arguments, cudaStream_t stream) {
  if (arguments.vectors <= kFew * kMostThreads)
    return launch(row_pass<kind, T, kFew>, row_grid(arguments, kFew), arguments, stream);
  if (arguments.vectors <= kMany * kMostThreads)
    return launch(row_pass<kind, T, kMany>, row_grid(arguments, kMany), arguments, stream);
  launch(row_pass<kind, T, 0>, row_grid(arguments, 1), arguments, stream);
}

template <typename T>
void launch_kind(RowPassKind kind, const RowPassArguments& arguments, cudaStream_t stream) {
  switch (kind) {
    case RowPassKind::copy:
      return launch_elementwise<RowPassKind::copy, T>(arguments, stream);
    case RowPassKind::add:
      return launch_elementwise<RowPassKind::add, T>(arguments, stream);
    case RowPassKind::silu_mul:
      return launch_elementwise<RowPassKind::silu_mul, T>(arguments, stream);
    case RowPassKind::quantize:
      return launch_elementwise<RowPassKind::quantize, T>(arguments, stream);
    case RowPassKind::gelu:
      return launch_elementwise<RowPassKind::gelu, T>(arguments, stream);
    case RowPassKind::softmax:
      return launch_row<RowPassKind::softmax, T>(arguments, stream);
    case RowPassKind::layernorm:
      return launch_row<RowPassKind::layernorm, T>(arguments, stream);
    case RowPassKind::rmsnorm:
      return launch_row<RowPassKind::rmsnorm, T>(arguments, stream);
  }
}

}  // namespace

void enqueue_row_pass(const RowPass& pass, const RowPassBuffers& buffers, cudaStream_t stream) {
  const std::int64_t row_bytes = pass.cols * bytes_of(pass.dtype);
  if (row_bytes % 16 != 0) throw Unsupported("a row must be a whole number of 16 bytes");
  if (pass.rows * (row_bytes / 16) > std::numeric_limits<std::uint32_t>::max())
    throw Unsupported("the matrix has 2^32 vectors of 16 bytes or more");
  const RowPassArguments arguments = {.input = static_cast<const uint4*>(buffers.input),
                                      .second = static_cast<const uint4*>(buffers.second),
                                      .bias = static_cast<const uint4*>(buffers.bias),
                                      .output = buffers.output,
                                      .rows = pass.rows,
                                      .vectors = row_bytes / 16};
  if (pass.dtype == DType::bf16) return launch_kind<__nv_bfloat16>(pass.kind, arguments, stream);
  if (pass.dtype == DType::fp32) return launch_kind<float>(pass.kind, arguments, stream);
  throw Unsupported(std::string("no pass over rows of ") + to_string(pass.dtype));
}

}  // namespace mlosim::measure
