// Where a matrix instruction's operands and results lie, in bytes of a row of K: the same for every format, because an
// instruction always takes 32 bytes of K. After the PTX ISA, "Matrix fragments for mma.m16n8k..." and "Matrices in
// shared memory" (wgmma, K-major, no swizzle).
#pragma once

#include <cstddef>

namespace mlosim::measure {

inline constexpr int kStepBytes = 32;  // of K, one instruction

// wgmma: 64 rows of A times 256 rows of B a step; core matrices are 8 rows of 16 bytes, one behind the other.
struct WgmmaTile {
  static constexpr int kRowsA = 64, kRowsB = 256, kSteps = 4;
  static constexpr int kStepBytesA = kRowsA * kStepBytes, kStepBytesB = kRowsB * kStepBytes;
  static constexpr int kBytesA = kSteps * kStepBytesA, kBytesB = kSteps * kStepBytesB;
  // Leading: between core matrices that follow in K. Stride: between those that follow in M or N.
  static constexpr int kStride = 128;
  __host__ __device__ static constexpr int leading(int rows) { return rows / 8 * kStride; }
};

// Of byte `byte` of K in `row`, within an operand of so many rows.
__host__ __device__ constexpr std::size_t wgmma_offset(int rows, int row, int step, int byte) {
  return std::size_t(step) * rows * kStepBytes + byte / 16 * (rows / 8 * 128) + row / 8 * 128 + row % 8 * 16 +
         byte % 16;
}

// Accumulator `index` of a thread of a warpgroup: its row and column of the 64 x 256 result.
struct Place {
  int row, column;
};
__host__ __device__ constexpr Place wgmma_place(int thread, int index) {
  const int lane = thread % 32;
  return {thread / 32 * 16 + lane / 4 + index / 2 % 2 * 8, index / 4 * 8 + lane % 4 * 2 + index % 2};
}

// mma.sync m16n8: register `index` of A holds four bytes of a row, and so of B.
__host__ __device__ constexpr Place mma_place_a(int lane, int index) {  // column: byte of K
  return {lane / 4 + index % 2 * 8, lane % 4 * 4 + index / 2 * 16};
}
__host__ __device__ constexpr Place mma_place_b(int lane, int index) {  // row: of B, that is column of the result
  return {lane / 4, lane % 4 * 4 + index * 16};
}
__host__ __device__ constexpr Place mma_place_c(int lane, int index) {
  return {lane / 4 + index / 2 * 8, lane % 4 * 2 + index % 2};
}

}  // namespace mlosim::measure
