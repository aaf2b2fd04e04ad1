// By how much a grid's steps take longer for overlapping imperfectly: what shares a unit, and what all CTAs under way
// ask of the shared cache and of the device memory. Internal to sim/tile.
//
//   unit    = multiplyᵖ, loadᵖ, waitᵖ summed, ^(1/p), p = Grid::overlap_norm
//   factor  = (unit^q + cache^q + memory^q)^(1/q) / the largest of the five, q = Grid::shared_norm
// The closed forms of sim/chip have the same norms. 1 where both are perfect.
#pragma once

#include "sim/tile/grid.hpp"
#include "sim/tile/simt_chip.hpp"

namespace mlosim::tile {

class Friction {
 public:
  // `slots` CTAs run at once, `together` of them on a unit. The grid outlives this.
  Friction(const Grid& grid, const SimtChip& chip, double slots, double together);

  // Of a step whose loads hold their unit for `load` seconds.
  double of(const CtaKind& kind, double load);

 private:
  const Grid& grid_;
  double together_;
  double cache_ = 0, memory_ = 0;  // s of one step of all CTAs under way
  // Most steps are like the one before.
  const CtaKind* known_kind_ = nullptr;
  double known_load_ = 0, known_ = 1;
};

}  // namespace mlosim::tile
