// Parameters of a routed expert layer's kernels on a GPU, as `moe:` of a chip's family and of a runtime gives them; the
// formula stands in sim/chip/moe.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/spec/kernel_choice.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::spec {

// By what a library sizes its row tiles: the rows that an active expert really gets (a library that profiles, or sorts
// first), or what it knows before the routing does.
enum class TileMeasure {
  rows_per_active_expert,
  rows_per_local_expert,    // tokens·topk over the rank's experts, as though other ranks got no rows
  tokens_per_local_expert,  // the same without topk
  tokens,
};

// The row tiles that a library builds. The first whose `up_to` is not below the measure is taken; the last has no
// limit.
struct RowTiles {
  struct Tile {
    std::int64_t rows = 128;
    std::int64_t columns = 0;  // that go with these rows; 0: column_tile
    double up_to = 128;
  };
  std::vector<Tile> tiles{{16, 0, 16}, {32, 0, 32}, {64, 0, 64}, {128, 0, 128}};  // rows ascending
  TileMeasure by = TileMeasure::rows_per_active_expert;

  const Tile& of(double measure) const;
};

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
  RowTiles row_tiles{};
  std::int64_t column_tile = 128;
  int launches = 5;  // permute, up, activation, down, combine
};

Kernels<MoeParameters> decode_moe(Node node);

}  // namespace mlosim::spec
