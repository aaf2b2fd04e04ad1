// Which slices of panels the caches of a GPU still hold, by the bytes that all kernels have touched since (LRU). When a
// slice that is on its way arrives is the player's to say. Internal to sim/tile.
#pragma once

#include "sim/tile/grid.hpp"
#include "sim/tile/simt_chip.hpp"

namespace mlosim::tile {

// One slice of a panel in the caches.
struct Slice {
  double touched = -1;  // bytes that all grids had touched when it was asked for last; < 0: never
  double there_at = 0;  // s
};

// Where a slice is found.
struct Found {
  double missing = 0;    // share that must come from the device memory
  bool is_near = false;  // in the cache nearest the units
  double latency = 0;    // s
};

class Slices {
 public:
  // Looks for a slice of an operand of `grid`, and touches it.
  Found find(SimtChip& chip, const Grid& grid, const Operand& operand, Slice& slice);

 private:
  double touched_ = 0;  // bytes that went into the caches
};

}  // namespace mlosim::tile
