// Which of two kernels that are launched at the same moment gets in line first. Used by the player.
#pragma once

#include "sim/tile/grid.hpp"

namespace mlosim::tile {

// The one with fewer CTAs; what follows only makes the order one of the kernels and not of their streams.
bool goes_before(const Grid& a, const Grid& b);

}  // namespace mlosim::tile
