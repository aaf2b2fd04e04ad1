// Independent chains of one instruction, for the rate of a unit. The instructions are volatile assembly, so that the
// compiler neither folds nor hoists them.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "validate/cuda/operation/vector_operation.hpp"

namespace mlosim::measure {

inline constexpr int kChains = 8;   // of a thread: enough to hide the latency with few warps
inline constexpr int kUnroll = 32;  // with the chains 256 instructions: the loop costs 1 % and fits the first I-cache
inline constexpr int kInstructionThreads = 512;

// x becomes 1 - x again and again: its bits toggle as those of data do, and it never leaves (0, 1).
inline constexpr float kFactor = -1, kAddend = 1;
inline constexpr std::uint32_t kWholeFactor = 0x9e3779b1u, kWholeAddend = 0x85ebca6bu;

__host__ __device__ constexpr float start_of(int thread, int chain) {
  return (static_cast<float>(thread % 64) + 0.5f) / 128 + static_cast<float>(chain) / 16;
}

// Registers of one number, or of one packed pair, of each format.
template <VectorOperation operation>
struct Register {
  using type = float;
  static __device__ type of(float x) { return x; }
  static __device__ double value(type x) { return x; }
};
template <>
struct Register<VectorOperation::fma_fp64> {
  using type = double;
  static __device__ type of(float x) { return x; }
  static __device__ double value(type x) { return x; }
};
template <>
struct Register<VectorOperation::mad_int32> {
  using type = std::uint32_t;
  static __device__ type of(float x) { return static_cast<type>(x * 1024); }
  static __device__ double value(type x) { return x; }
};
template <>
struct Register<VectorOperation::fma_fp16x2> {
  using type = std::uint32_t;
  static __device__ type of(float x) { return __half_as_ushort(__float2half(x)) * 0x10001u; }
  static __device__ double value(type x) { return __half2float(__ushort_as_half(static_cast<unsigned short>(x))); }
};
template <>
struct Register<VectorOperation::fma_bf16x2> {
  using type = std::uint32_t;
  static __device__ type of(float x) { return __bfloat16_as_ushort(__float2bfloat16(x)) * 0x10001u; }
  static __device__ double value(type x) {
    return __bfloat162float(__ushort_as_bfloat16(static_cast<unsigned short>(x)));
  }
};

template <VectorOperation operation, typename T>
__device__ __forceinline__ void step(T& x, T factor, T addend) {
  if constexpr (operation == VectorOperation::fma_fp32) {
    asm volatile("fma.rn.f32 %0, %0, %1, %2;" : "+f"(x) : "f"(factor), "f"(addend));
  } else if constexpr (operation == VectorOperation::add_fp32) {
    asm volatile("sub.rn.f32 %0, %1, %0;" : "+f"(x) : "f"(addend));
  } else if constexpr (operation == VectorOperation::fma_fp16x2) {
    asm volatile("fma.rn.f16x2 %0, %0, %1, %2;" : "+r"(x) : "r"(factor), "r"(addend));
  } else if constexpr (operation == VectorOperation::fma_bf16x2) {
    asm volatile("fma.rn.bf16x2 %0, %0, %1, %2;" : "+r"(x) : "r"(factor), "r"(addend));
  } else if constexpr (operation == VectorOperation::fma_fp64) {
    asm volatile("fma.rn.f64 %0, %0, %1, %2;" : "+d"(x) : "d"(factor), "d"(addend));
  } else if constexpr (operation == VectorOperation::mad_int32) {
    asm volatile("mad.lo.u32 %0, %0, %1, %2;" : "+r"(x) : "r"(factor), "r"(addend));
  } else if constexpr (operation == VectorOperation::ex2) {
    asm volatile("{ .reg .f32 y; neg.f32 y, %0; ex2.approx.ftz.f32 %0, y; }" : "+f"(x));
  } else if constexpr (operation == VectorOperation::rcp) {
    // A bare chain would be folded: the reciprocal of a reciprocal is nothing to do.
    asm volatile("{ .reg .f32 y; add.f32 y, %0, %1; rcp.approx.ftz.f32 %0, y; }" : "+f"(x) : "f"(addend));
  } else if constexpr (operation == VectorOperation::rsqrt) {
    asm volatile("rsqrt.approx.ftz.f32 %0, %0;" : "+f"(x));
  } else {
    static_assert(operation == VectorOperation::sin);
    asm volatile("sin.approx.ftz.f32 %0, %0;" : "+f"(x));
  }
}

// kUnroll * kChains instructions a round and thread. Block 0 writes what its chains have come to (by thread and chain)
// unless `results` is null. The operands come as arguments, unknown to the compiler.
template <VectorOperation operation>
__global__ void __launch_bounds__(kInstructionThreads, 2)
    instruction_loop(int rounds, float factor, float addend, double* results) {
  using R = Register<operation>;
  using T = typename R::type;
  // Through a shuffle, so that they lie in registers of each thread and not in uniform ones.
  factor = __shfl_sync(~0u, factor, 0);
  addend = __shfl_sync(~0u, addend, 0);
  T by = R::of(factor), plus = R::of(addend);
  if constexpr (operation == VectorOperation::mad_int32) {
    by = kWholeFactor + static_cast<T>(factor + 1);  // the constants, as far as the compiler can tell
    plus = kWholeAddend + static_cast<T>(addend - 1);
  }
  T x[kChains];
#pragma unroll
  for (int chain = 0; chain < kChains; ++chain) x[chain] = R::of(start_of(threadIdx.x, chain));
#pragma unroll 1
  for (int round = 0; round < rounds; ++round)
#pragma unroll
    for (int repeat = 0; repeat < kUnroll; ++repeat)
#pragma unroll
      for (int chain = 0; chain < kChains; ++chain) step<operation>(x[chain], by, plus);
  if (results != nullptr && blockIdx.x == 0)
#pragma unroll
    for (int chain = 0; chain < kChains; ++chain) results[threadIdx.x * kChains + chain] = R::value(x[chain]);
}

}  // namespace mlosim::measure
