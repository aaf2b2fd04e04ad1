// A block of a matrix product on the arrays of one core, from scratchpad to scratchpad. An array holds rows × cols
// weights and takes rows of the other operand, one a clk in the format that it is made for; the next block of weights
// shifts in behind the rows that stream, a row of weights a clk.
//
//   clk = load + rows + (passes - 1)·max(rows, R) + result - 8
// for the busiest array, `rows` those that it takes in each pass. Source: TPU v4's MXU, whose instruction stream the
// Pallas TPU tutorial lists and times ([16,128]x[128,128] 176 clk, 1024 rows 435). Results of different blocks of the
// depth are added by the vector unit beside the arrays: a block's clk are its arrays'.
#pragma once

#include <cstdint>

#include "sim/tile/systolic_machine.hpp"

namespace mlosim::tile {

// m × k times k × n.
struct MatrixBlock {
  double m = 1, n = 1, k = 1;
  double row_granule = 8;   // rows of the vector register's tile: 8, 16, 32 for 4-, 2-, 1-byte elements
  double rows_per_clk = 1;  // of an array
};

// How a core shares a block out among its arrays: whole passes, or the rows of each pass; either operand is stationary.
struct ArrayShare {
  std::int64_t arrays = 1;  // that work
  std::int64_t passes = 1;  // of the busiest
  std::int64_t rows = 1;    // clk that the rows of one pass take
};

// The share that ends first.
ArrayShare share_out(const ArrayTiming& array, const MatrixBlock& block);

// Clk by the formula above, and by playing the passes one by one: equal.
double estimate_block(const ArrayTiming& array, const ArrayShare& share);
double play_block(const SystolicMachine& machine, const ArrayShare& share);

}  // namespace mlosim::tile
