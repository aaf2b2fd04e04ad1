// The rate of mma.sync out of registers: each warp multiplies 2 tiles of A with 4 of B, over and over, so that 8
// independent accumulators hide the latency. For targets without a format the kernel is empty.
#pragma once

#include <cstdint>

#include "validate/cuda/kernels/fragments.cuh"
#include "validate/cuda/operation/dtype.hpp"

namespace mlosim::measure {

struct MmaTile {
  static constexpr int kTilesA = 2, kTilesB = 4, kRowsA = 16, kRowsB = 8;
  static constexpr int kBytesA = kTilesA * kRowsA * kStepBytes, kBytesB = kTilesB * kRowsB * kStepBytes;
  static constexpr int kUnroll = 16;
};

inline constexpr int kMmaThreads = 256;
inline constexpr int kMmaBlocksPerSm = 2;

template <DType dtype>
struct MmaAccumulator {
  using type = float;
};
template <>
struct MmaAccumulator<DType::int8> {
  using type = std::int32_t;
};

#define MEASURE_MMA(shape_and_types, constraint)                                                                      \
  asm volatile("mma.sync.aligned." shape_and_types " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" \
               : constraint(c[0]), constraint(c[1]), constraint(c[2]), constraint(c[3])                               \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))

template <DType dtype, typename T>
__device__ __forceinline__ void mma(T (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  if constexpr (dtype == DType::bf16) {
    MEASURE_MMA("m16n8k16.row.col.f32.bf16.bf16.f32", "+f");
  } else if constexpr (dtype == DType::fp16) {
    MEASURE_MMA("m16n8k16.row.col.f32.f16.f16.f32", "+f");
  } else if constexpr (dtype == DType::tf32) {
    MEASURE_MMA("m16n8k8.row.col.f32.tf32.tf32.f32", "+f");
  } else if constexpr (dtype == DType::int8) {
    MEASURE_MMA("m16n8k32.row.col.s32.s8.s8.s32", "+r");
  } else {
    static_assert(dtype == DType::fp8);
#if __CUDA_ARCH__ >= 890
    MEASURE_MMA("m16n8k32.row.col.f32.e4m3.e4m3.f32", "+f");
#endif
  }
}

// `operands`: A's tiles and then B's, rows of 32 bytes. Warp 0 of block 0 writes its accumulators to `results` (by
// lane, tile of A, tile of B and index) unless that is null.
template <DType dtype>
__global__ void __launch_bounds__(kMmaThreads)
    mma_loop(const std::uint32_t* operands, int rounds, typename MmaAccumulator<dtype>::type* results) {
  using Tile = MmaTile;
  const int lane = threadIdx.x % 32;
  std::uint32_t a[Tile::kTilesA][4], b[Tile::kTilesB][2];
#pragma unroll
  for (int tile = 0; tile < Tile::kTilesA; ++tile)
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const Place place = mma_place_a(lane, i);
      a[tile][i] = operands[((tile * Tile::kRowsA + place.row) * kStepBytes + place.column) / 4];
    }
#pragma unroll
  for (int tile = 0; tile < Tile::kTilesB; ++tile)
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const Place place = mma_place_b(lane, i);
      b[tile][i] = operands[(Tile::kBytesA + (tile * Tile::kRowsB + place.row) * kStepBytes + place.column) / 4];
    }

  typename MmaAccumulator<dtype>::type c[Tile::kTilesA][Tile::kTilesB][4] = {};
  for (int round = 0; round < rounds; ++round)
#pragma unroll
    for (int repeat = 0; repeat < Tile::kUnroll; ++repeat)
#pragma unroll
      for (int i = 0; i < Tile::kTilesA; ++i)
#pragma unroll
        for (int j = 0; j < Tile::kTilesB; ++j) mma<dtype>(c[i][j], a[i], b[j]);
  if (results != nullptr && blockIdx.x == 0 && threadIdx.x < 32)
#pragma unroll
    for (int i = 0; i < Tile::kTilesA; ++i)
#pragma unroll
      for (int j = 0; j < Tile::kTilesB; ++j)
#pragma unroll
        for (int index = 0; index < 4; ++index)
          results[((lane * Tile::kTilesA + i) * Tile::kTilesB + j) * 4 + index] = c[i][j][index];
}

}  // namespace mlosim::measure
