// Parameters of a routed expert layer's kernels on a GPU, as `moe:` of a chip's family and of a runtime gives them; the
// formula stands in sim/chip/moe.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/spec/kernel_choice.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::spec {

struct MoeParameters {
  Seconds fixed;
  double matrix_efficiency = 1;
  double matrix_efficiency_8bit = 1;
  double narrow_exponent = 0;  // a tile of r rows takes (r/most)^(1-p) of one of the most rows
  double tile_overhead = 0;    // clk
  double tail = 0;             // waves left over at the end
  double memory_efficiency = 1;
  double permute_passes = 1;  // of the permutation and activation bytes
  double remote_rows = 0;     // share of other ranks' rows that the passes go over as well
  Seconds per_expert{};       // of each expert of the rank: sorting and the groups' descriptors
  std::vector<std::int64_t> row_tiles{16, 32, 64, 128};  // ascending
  std::int64_t column_tile = 128;
  int launches = 5;  // permute, up, activation, down, combine
};

Kernels<MoeParameters> decode_moe(Node node);

}  // namespace mlosim::spec
