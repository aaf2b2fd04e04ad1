// The rate of Hopper's wgmma out of shared memory: a loop of m64n256 instructions whose operands never change. Compiled
// for sm_90a alone; for other targets the kernel is empty (it then needs few registers, which the host can ask).
#pragma once

#include <cstdint>

#include "validate/cuda/kernels/fragments.cuh"
#include "validate/cuda/operation/dtype.hpp"

namespace mlosim::measure {

inline constexpr int kWgmmaThreads = 256;  // two warpgroups, so that one issues while the other waits

#define MEASURE_ACCUMULATOR_NAMES                                                                \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "                       \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "             \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "             \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "             \
  "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "             \
  "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "             \
  "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, " \
  "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
#define MEASURE_4(constraint, d, i) constraint(d[i]), constraint(d[i + 1]), constraint(d[i + 2]), constraint(d[i + 3])
#define MEASURE_16(constraint, d, i)                                                             \
  MEASURE_4(constraint, d, i), MEASURE_4(constraint, d, i + 4), MEASURE_4(constraint, d, i + 8), \
      MEASURE_4(constraint, d, i + 12)
#define MEASURE_128(constraint, d)                                                                 \
  MEASURE_16(constraint, d, 0), MEASURE_16(constraint, d, 16), MEASURE_16(constraint, d, 32),      \
      MEASURE_16(constraint, d, 48), MEASURE_16(constraint, d, 64), MEASURE_16(constraint, d, 80), \
      MEASURE_16(constraint, d, 96), MEASURE_16(constraint, d, 112)

// d += A * B^T; `flags` are the immediates behind the predicate, which differ by format.
#define MEASURE_WGMMA(shape_and_types, flags, constraint, d, a, b)                   \
  asm volatile(                                                                      \
      "{ .reg .pred p; setp.eq.u32 p, 0, 0;\n"                                       \
      "wgmma.mma_async.sync.aligned." shape_and_types " {" MEASURE_ACCUMULATOR_NAMES \
      "}, "                                                                          \
      "%128, %129, p" flags "; }\n"                                                  \
      : MEASURE_128(constraint, d)                                                   \
      : "l"(a), "l"(b))

template <DType dtype>
struct WgmmaAccumulator {
  using type = float;
};
template <>
struct WgmmaAccumulator<DType::int8> {
  using type = std::int32_t;
};

template <DType dtype, typename T>
__device__ __forceinline__ void wgmma(T (&d)[128], std::uint64_t a, std::uint64_t b) {
#define MEASURE_FLOATS(x) "+f"(x)
#define MEASURE_INTEGERS(x) "+r"(x)
  if constexpr (dtype == DType::bf16) {
    MEASURE_WGMMA("m64n256k16.f32.bf16.bf16", ", 1, 1, 0, 0", MEASURE_FLOATS, d, a, b);
  } else if constexpr (dtype == DType::fp16) {
    MEASURE_WGMMA("m64n256k16.f32.f16.f16", ", 1, 1, 0, 0", MEASURE_FLOATS, d, a, b);
  } else if constexpr (dtype == DType::tf32) {
    MEASURE_WGMMA("m64n256k8.f32.tf32.tf32", ", 1, 1", MEASURE_FLOATS, d, a, b);
  } else if constexpr (dtype == DType::fp8) {
    MEASURE_WGMMA("m64n256k32.f32.e4m3.e4m3", ", 1, 1", MEASURE_FLOATS, d, a, b);
  } else {
    static_assert(dtype == DType::int8);
    MEASURE_WGMMA("m64n256k32.s32.s8.s8", "", MEASURE_INTEGERS, d, a, b);
  }
#undef MEASURE_FLOATS
#undef MEASURE_INTEGERS
}

// PTX ISA, "Matrix descriptor format": addresses and offsets in units of 16 bytes, no swizzle.
__device__ inline std::uint64_t wgmma_descriptor(const void* shared, int leading) {
  const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(shared));
  return std::uint64_t(address >> 4 & 0x3fff) | std::uint64_t(leading >> 4) << 16 |
         std::uint64_t(WgmmaTile::kStride >> 4) << 32;
}

// `operands`: WgmmaTile's A of each warpgroup, then B, as they shall lie in shared memory. Block 0 writes its
// accumulators to `results` (by warpgroup, thread and index) unless that is null.
template <DType dtype>
__global__ void __launch_bounds__(kWgmmaThreads, 1)
    wgmma_loop(const uint4* operands, int rounds, typename WgmmaAccumulator<dtype>::type* results) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  using Tile = WgmmaTile;
  constexpr int kBytes = 2 * Tile::kBytesA + Tile::kBytesB;
  __shared__ __align__(128) uint4 shared[kBytes / sizeof(uint4)];
  for (int i = threadIdx.x; i < int(kBytes / sizeof(uint4)); i += blockDim.x) shared[i] = operands[i];
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncthreads();

  const int warpgroup = threadIdx.x / 128;
  const char* base = reinterpret_cast<const char*>(shared);
  const std::uint64_t a = wgmma_descriptor(base + warpgroup * Tile::kBytesA, Tile::leading(Tile::kRowsA));
  const std::uint64_t b = wgmma_descriptor(base + 2 * Tile::kBytesA, Tile::leading(Tile::kRowsB));
  typename WgmmaAccumulator<dtype>::type d[128] = {};
  for (int round = 0; round < rounds; ++round) {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
    for (int step = 0; step < Tile::kSteps; ++step)
      wgmma<dtype>(d, a + step * (Tile::kStepBytesA >> 4), b + step * (Tile::kStepBytesB >> 4));
    asm volatile("wgmma.commit_group.sync.aligned;\nwgmma.wait_group.sync.aligned 1;" ::: "memory");
  }
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
  if (results != nullptr && blockIdx.x == 0)
#pragma unroll
    for (int i = 0; i < 128; ++i) results[threadIdx.x * 128 + i] = d[i];
#endif
}

}  // namespace mlosim::measure
