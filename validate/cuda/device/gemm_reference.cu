#include "validate/cuda/device/gemm_reference.hpp"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <cmath>
#include <sstream>
#include <vector>

#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/device_buffer.hpp"
#include "validate/cuda/kernels/hash.cuh"

namespace mlosim::measure {
namespace {

constexpr int kSamples = 512;
constexpr int kWarp = 32;

struct Sample {
  double found, expected, magnitude, squares;  // magnitude: sum |a w|; squares: sum (a w)^2
};

struct Sizes {
  std::int64_t batch, m, n, k;
};

// One warp a sample.
template <typename Operand, typename Output>
__global__ void sample_kernel(Sizes sizes, const Operand* a, const Operand* w, const Output* c, double scale,
                              Sample* samples) {
  const std::uint64_t outputs = std::uint64_t(sizes.batch) * sizes.m * sizes.n;
  const std::uint64_t place = hash_of(7, blockIdx.x) % outputs;
  const std::int64_t j = place % sizes.n, i = place / sizes.n % sizes.m, b = place / sizes.n / sizes.m;
  const Operand* row = a + (b * sizes.m + i) * sizes.k;
  const Operand* column = w + (b * sizes.n + j) * sizes.k;
  double sum = 0, magnitude = 0, squares = 0;
  for (std::int64_t k = threadIdx.x; k < sizes.k; k += kWarp) {
    const double product = scale * double(float(row[k])) * double(float(column[k]));
    sum += product;
    magnitude += fabs(product);
    squares += product * product;
  }
  for (int step = kWarp / 2; step > 0; step /= 2) {
    sum += __shfl_down_sync(~0u, sum, step);
    magnitude += __shfl_down_sync(~0u, magnitude, step);
    squares += __shfl_down_sync(~0u, squares, step);
  }
  if (threadIdx.x == 0) samples[blockIdx.x] = {double(c[place]), sum, magnitude, squares};
}

template <typename Operand, typename Output>
void launch(const GemmShape& shape, const GemmOperands& operands, Sample* samples, cudaStream_t stream) {
  sample_kernel<<<kSamples, kWarp, 0, stream>>>(Sizes{shape.batch, shape.m, shape.n, shape.k},
                                                static_cast<const Operand*>(operands.activations),
                                                static_cast<const Operand*>(operands.weights),
                                                static_cast<const Output*>(operands.output), operands.scale, samples);
}

struct Tolerance {
  double round, accumulate;
};

Tolerance tolerance_of(DType dtype) {
  switch (dtype) {
    case DType::fp32:
      return {1e-6, 1e-5};
    case DType::tf32:
      return {1e-6, 0x1p-9};  // operands are cut to 11 bits
    case DType::fp16:
      return {0x1p-9, 1e-5};
    case DType::bf16:
      return {0x1p-7, 1e-5};
    case DType::fp8:
      return {0x1p-7, 4e-3};
    case DType::int8:
      return {0, 0};
  }
  return {};
}

}  // namespace

std::string compare_with_reference(const GemmShape& shape, const GemmOperands& operands, cudaStream_t stream) {
  const DeviceBuffer on_device(kSamples * sizeof(Sample));
  Sample* to = on_device.as<Sample>();
  switch (shape.dtype) {
    case DType::fp32:
    case DType::tf32:
      launch<float, float>(shape, operands, to, stream);
      break;
    case DType::fp16:
      launch<__half, __half>(shape, operands, to, stream);
      break;
    case DType::bf16:
      launch<__nv_bfloat16, __nv_bfloat16>(shape, operands, to, stream);
      break;
    case DType::fp8:
      launch<__nv_fp8_e4m3, __nv_bfloat16>(shape, operands, to, stream);
      break;
    case DType::int8:
      launch<std::int8_t, std::int32_t>(shape, operands, to, stream);
      break;
  }
  MEASURE_CUDA(cudaGetLastError());
  std::vector<Sample> samples(kSamples);
  MEASURE_CUDA(cudaMemcpyAsync(samples.data(), to, on_device.bytes(), cudaMemcpyDeviceToHost, stream));
  MEASURE_CUDA(cudaStreamSynchronize(stream));

  const Tolerance tolerance = tolerance_of(shape.dtype);
  for (const Sample& sample : samples) {
    const double allowed = tolerance.round * (std::fabs(sample.expected) + std::sqrt(sample.squares)) +
                           tolerance.accumulate * sample.magnitude;
    if (std::fabs(sample.found - sample.expected) <= allowed) continue;  // a NaN is never within
    std::ostringstream text;
    text << "an output is " << sample.found << " where double precision gives " << sample.expected << " +- " << allowed;
    return text.str();
  }
  return "";
}

}  // namespace mlosim::measure
