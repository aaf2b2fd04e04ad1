#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/device_buffer.hpp"
#include "validate/cuda/kernels/hash.cuh"

namespace mlosim::measure {
namespace {

constexpr int kThreads = 256;
constexpr std::size_t kMostBlocks = 8192;

__global__ void fill_bits_kernel(std::uint64_t* to, std::size_t words, std::uint64_t seed) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < words; i += stride)
    to[i] = hash_of(seed, i);
}

std::size_t rounded_up(std::size_t bytes) { return (bytes + 255) / 256 * 256; }

}  // namespace

DeviceBuffer::DeviceBuffer(std::size_t bytes) : bytes_(bytes) {
  MEASURE_CUDA(cudaMalloc(&pointer_, rounded_up(bytes == 0 ? 1 : bytes)));
}

DeviceBuffer::~DeviceBuffer() { cudaFree(pointer_); }

std::shared_ptr<DeviceBuffer> make_buffer(std::size_t bytes) { return std::make_shared<DeviceBuffer>(bytes); }

// Whole words: an allocation ends on a multiple of 256 bytes.
void fill_random_bits(const DeviceBuffer& buffer, std::uint64_t seed, cudaStream_t stream) {
  const std::size_t words = (buffer.bytes() + 7) / 8;
  const std::size_t blocks = (words + kThreads - 1) / kThreads;
  fill_bits_kernel<<<unsigned(blocks < kMostBlocks ? blocks : kMostBlocks), kThreads, 0, stream>>>(
      buffer.as<std::uint64_t>(), words, seed);
  MEASURE_CUDA(cudaGetLastError());
}

cudaError_t probe_kernels() {
  cudaFuncAttributes attributes{};
  return cudaFuncGetAttributes(&attributes, fill_bits_kernel);
}

}  // namespace mlosim::measure
