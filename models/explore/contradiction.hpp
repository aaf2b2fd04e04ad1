// Constraints that no point can meet, whatever it is.
#pragma once

#include "models/explore/blueprint.hpp"

namespace mlosim::explore {

// Bounds of one number that exclude one another, and comparisons of constants that do not hold.
void find_contradictions(const Blueprint& blueprint, spec::Diagnostics& diagnostics);

}  // namespace mlosim::explore
