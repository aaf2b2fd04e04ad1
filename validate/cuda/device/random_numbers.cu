#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/random_numbers.hpp"
#include "validate/cuda/kernels/hash.cuh"

namespace mlosim::measure {
namespace {

constexpr int kThreads = 256;
constexpr int kMostBlocks = 4096;

int blocks_for(std::size_t elements) {
  const std::size_t blocks = (elements + kThreads - 1) / kThreads;
  return static_cast<int>(blocks < kMostBlocks ? blocks : kMostBlocks);
}

// Box and Muller: two normal numbers of two uniform ones.
__device__ float2 normal_pair(std::uint64_t bits, float deviation) {
  const float u = (static_cast<float>(bits >> 40) + 0.5f) * 0x1p-24f;
  const float angle = static_cast<float>(bits & 0xffffff) * (6.2831853f * 0x1p-24f);
  const float radius = deviation * sqrtf(-2.f * __logf(u));
  return {radius * __cosf(angle), radius * __sinf(angle)};
}

template <typename T>
__global__ void fill_normal_kernel(T* to, std::size_t elements, float deviation, std::uint64_t seed) {
  const std::size_t pairs = (elements + 1) / 2, stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < pairs; i += stride) {
    const float2 numbers = normal_pair(hash_of(seed, i), deviation);
    to[2 * i] = static_cast<T>(numbers.x);
    if (2 * i + 1 < elements) to[2 * i + 1] = static_cast<T>(numbers.y);
  }
}

__global__ void fill_int8_kernel(std::int8_t* to, std::size_t elements, std::uint64_t seed) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < elements; i += stride)
    to[i] = static_cast<std::int8_t>(static_cast<int>(hash_of(seed, i) % 255) - 127);
}

__global__ void fill_small_integers_kernel(__nv_bfloat16* to, std::size_t elements, std::uint64_t seed) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < elements; i += stride)
    to[i] = __float2bfloat16(static_cast<float>(small_integer(seed, i)));
}

template <typename T>
void fill(const DeviceBuffer& buffer, double deviation, std::uint64_t seed, cudaStream_t stream) {
  const std::size_t elements = buffer.bytes() / sizeof(T);
  if (elements == 0) return;
  fill_normal_kernel<T>
      <<<blocks_for((elements + 1) / 2), kThreads, 0, stream>>>(buffer.as<T>(), elements, float(deviation), seed);
}

}  // namespace

void fill_normal(const DeviceBuffer& buffer, DType dtype, double deviation, std::uint64_t seed, cudaStream_t stream) {
  switch (dtype) {
    case DType::fp32:
    case DType::tf32:
      fill<float>(buffer, deviation, seed, stream);
      break;
    case DType::fp16:
      fill<__half>(buffer, deviation, seed, stream);
      break;
    case DType::bf16:
      fill<__nv_bfloat16>(buffer, deviation, seed, stream);
      break;
    case DType::fp8:
      fill<__nv_fp8_e4m3>(buffer, deviation, seed, stream);
      break;
    case DType::int8:
      if (buffer.bytes() > 0)
        fill_int8_kernel<<<blocks_for(buffer.bytes()), kThreads, 0, stream>>>(buffer.as<std::int8_t>(), buffer.bytes(),
                                                                              seed);
      break;
  }
  MEASURE_CUDA(cudaGetLastError());
}

void fill_small_integers(const DeviceBuffer& buffer, std::uint64_t seed, cudaStream_t stream) {
  const std::size_t elements = buffer.bytes() / sizeof(__nv_bfloat16);
  fill_small_integers_kernel<<<blocks_for(elements), kThreads, 0, stream>>>(buffer.as<__nv_bfloat16>(), elements, seed);
  MEASURE_CUDA(cudaGetLastError());
}

}  // namespace mlosim::measure
