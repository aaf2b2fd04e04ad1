// Elementwise passes, norms and softmax over a matrix of rows x cols: 16 bytes an access, one pass over device memory.
// `cols` is a multiple of 16 bytes. Arithmetic is fp32.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp8.h>

#include <cstdint>
#include <type_traits>

#include "validate/cuda/device/row_pass_launch.hpp"

namespace mlosim::measure {

template <typename T>
struct Vector {
  static constexpr int kSize = 16 / sizeof(T);
  uint4 raw;

  __device__ float operator[](int i) const { return static_cast<float>(reinterpret_cast<const T*>(&raw)[i]); }
  __device__ void set(int i, float value) { reinterpret_cast<T*>(&raw)[i] = static_cast<T>(value); }
};

struct RowPassArguments {
  const uint4* input = nullptr;
  const uint4* second = nullptr;  // add's other matrix, or the weights of a norm
  const uint4* bias = nullptr;    // of LayerNorm
  void* output = nullptr;
  std::int64_t rows = 0, vectors = 0;  // of 16 bytes in a row of the output (quantize: of the input)
};

__device__ inline float gelu_of(float x) {  // the tanh form, as the networks of the GPT family have it
  const float inner = 0.7978845608f * (x + 0.044715f * x * x * x);
  return x / (1 + __expf(-2 * inner));
}
__device__ inline float silu_of(float x) { return x / (1 + __expf(-x)); }

template <RowPassKind kind, typename T>
__device__ void store_result(const RowPassArguments& args, std::int64_t place, Vector<T> a, Vector<T> b) {
  using V = Vector<T>;
  if constexpr (kind == RowPassKind::quantize) {
    // 16 bytes in, kSize bytes out.
    __nv_fp8_storage_t bytes[V::kSize];
#pragma unroll
    for (int i = 0; i < V::kSize; ++i)
      bytes[i] = __nv_cvt_float_to_fp8(a[i] * float(kQuantizeScale), __NV_SATFINITE, __NV_E4M3);
    using Packed = std::conditional_t<V::kSize == 8, uint2, unsigned>;
    static_cast<Packed*>(args.output)[place] = *reinterpret_cast<const Packed*>(bytes);
  } else {
    V result;
#pragma unroll
    for (int i = 0; i < V::kSize; ++i) {
      if constexpr (kind == RowPassKind::copy) result.set(i, a[i]);
      if constexpr (kind == RowPassKind::add) result.set(i, a[i] + b[i]);
      if constexpr (kind == RowPassKind::silu_mul) result.set(i, silu_of(a[i]) * b[i]);
      if constexpr (kind == RowPassKind::gelu) result.set(i, gelu_of(a[i]));
    }
    static_cast<uint4*>(args.output)[place] = result.raw;
  }
}

inline constexpr int kElementwiseThreads = 256;
inline constexpr int kElementwiseVectors = 4;  // of a thread, in flight together

// Threads take vectors a block apart. silu_mul's rows hold the gate's columns and then the other factor's.
template <RowPassKind kind, typename T>
__global__ void __launch_bounds__(kElementwiseThreads) elementwise_pass(RowPassArguments args) {
  const std::int64_t total = args.rows * args.vectors;
  const std::int64_t first = std::int64_t(blockIdx.x) * kElementwiseThreads * kElementwiseVectors + threadIdx.x;
  Vector<T> a[kElementwiseVectors], b[kElementwiseVectors];
#pragma unroll
  for (int i = 0; i < kElementwiseVectors; ++i) {
    const std::int64_t place = first + i * kElementwiseThreads;
    if (place >= total) break;
    if constexpr (kind == RowPassKind::silu_mul) {
      const std::int64_t row = std::uint32_t(place) / std::uint32_t(args.vectors);  // below 2^32: the host sees to it
      a[i].raw = args.input[place + row * args.vectors];
      b[i].raw = args.input[place + (row + 1) * args.vectors];
    } else {
      a[i].raw = args.input[place];
      if constexpr (kind == RowPassKind::add) b[i].raw = args.second[place];
    }
  }
#pragma unroll
  for (int i = 0; i < kElementwiseVectors; ++i) {
    const std::int64_t place = first + i * kElementwiseThreads;
    if (place < total) store_result<kind>(args, place, a[i], b[i]);
  }
}

// Of a row's threads: a warp (blockDim.x is 32, further rows lie along y) or the whole block.
template <bool is_maximum>
__device__ float reduce_row(float value) {
  const auto combine = [](float a, float b) { return is_maximum ? fmaxf(a, b) : a + b; };
#pragma unroll
  for (int step = 16; step > 0; step /= 2) value = combine(value, __shfl_xor_sync(~0u, value, step));
  if (blockDim.x == 32) return value;
  __shared__ float warps[32];
  const int lane = threadIdx.x % 32;
  if (lane == 0) warps[threadIdx.x / 32] = value;
  __syncthreads();
  value = lane < int(blockDim.x / 32) ? warps[lane] : (is_maximum ? -INFINITY : 0.f);
#pragma unroll
  for (int step = 16; step > 0; step /= 2) value = combine(value, __shfl_xor_sync(~0u, value, step));
  __syncthreads();  // the next reduction writes `warps` again
  return value;
}

// What is known of a row once it has been seen as a whole. Softmax: the maximum and 1 / the sum. Norms: the mean (zero
// for RMSNorm) and 1 / the deviation.
struct RowFacts {
  float offset = 0, scale = 1;
};

// `each(f)` calls f for every number of the row that is this thread's.
template <RowPassKind kind, typename Each>
__device__ RowFacts facts_of_row(float columns, Each each) {
  RowFacts facts;
  if constexpr (kind == RowPassKind::softmax) {
    // Online, as the maximum grows (Milakov and Gimelshein 2018): one sweep.
    float most = -INFINITY, sum = 0;
    each([&](float value) {
      if (value > most) {
        sum *= __expf(most - value);
        most = value;
      }
      sum += __expf(value - most);
    });
    facts.offset = reduce_row<true>(most);
    facts.scale = 1 / reduce_row<false>(sum * __expf(most - facts.offset));
  } else {
    float sum = 0, squares = 0;
    if constexpr (kind == RowPassKind::layernorm) {
      each([&](float value) { sum += value; });
      facts.offset = reduce_row<false>(sum) / columns;
    }
    each([&](float value) { squares += (value - facts.offset) * (value - facts.offset); });
    facts.scale = rsqrtf(reduce_row<false>(squares) / columns + float(kNormEpsilon));
  }
  return facts;
}

template <RowPassKind kind, typename T>
__device__ uint4 finished(const RowPassArguments& args, std::int64_t place, Vector<T> x, RowFacts facts) {
  Vector<T> weight, bias, result;
  if constexpr (kind != RowPassKind::softmax) weight.raw = args.second[place];
  if constexpr (kind == RowPassKind::layernorm) bias.raw = args.bias[place];
#pragma unroll
  for (int j = 0; j < Vector<T>::kSize; ++j) {
    if constexpr (kind == RowPassKind::softmax) result.set(j, __expf(x[j] - facts.offset) * facts.scale);
    if constexpr (kind == RowPassKind::rmsnorm) result.set(j, x[j] * facts.scale * weight[j]);
    if constexpr (kind == RowPassKind::layernorm)
      result.set(j, (x[j] - facts.offset) * facts.scale * weight[j] + bias[j]);
  }
  return result.raw;
}

// A row lies in the registers of its threads, `kVectors` vectors of 16 bytes each, or, with none, is read from memory
// (that is, from the L2) in every sweep.
template <RowPassKind kind, typename T, int kVectors>
__global__ void __launch_bounds__(1024) row_pass(RowPassArguments args) {
  using V = Vector<T>;
  const std::int64_t row = std::int64_t(blockIdx.x) * blockDim.y + threadIdx.y;
  if (row >= args.rows) return;  // a whole warp, as rows share a block only where each has a warp
  const uint4* from = args.input + row * args.vectors;
  uint4* to = static_cast<uint4*>(args.output) + row * args.vectors;
  const int vectors = static_cast<int>(args.vectors);
  const float columns = float(vectors * V::kSize);
  if constexpr (kVectors > 0) {
    V x[kVectors];
#pragma unroll
    for (int i = 0; i < kVectors; ++i) {
      const int place = threadIdx.x + i * blockDim.x;
      x[i].raw = place < vectors ? from[place] : uint4{0, 0, 0, 0};
    }
    const RowFacts facts = facts_of_row<kind>(columns, [&](auto what) {
#pragma unroll
      for (int i = 0; i < kVectors; ++i)
        if (int(threadIdx.x + i * blockDim.x) < vectors)
#pragma unroll
          for (int j = 0; j < V::kSize; ++j) what(x[i][j]);
    });
#pragma unroll
    for (int i = 0; i < kVectors; ++i) {
      const int place = threadIdx.x + i * blockDim.x;
      if (place < vectors) to[place] = finished<kind>(args, place, x[i], facts);
    }
  } else {
    const RowFacts facts = facts_of_row<kind>(columns, [&](auto what) {
#pragma unroll 4
      for (int place = threadIdx.x; place < vectors; place += blockDim.x) {
        const V x{from[place]};
#pragma unroll
        for (int j = 0; j < V::kSize; ++j) what(x[j]);
      }
    });
#pragma unroll 4
    for (int place = threadIdx.x; place < vectors; place += blockDim.x)
      to[place] = finished<kind>(args, place, V{from[place]}, facts);
  }
}

}  // namespace mlosim::measure
