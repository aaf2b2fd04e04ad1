// Tells whether stored results still hold: of everything that a study reads.
#pragma once

#include <string>

#include "models/explore/blueprint.hpp"

namespace mlosim::explore {

// The same for the same study, workloads, models, machines, stacks and tables, whichever of them its axes name. Throws
// spec::InputError for what cannot be read.
std::string fingerprint_of(const Blueprint& blueprint);

}  // namespace mlosim::explore
