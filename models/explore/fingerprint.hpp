// Tells whether stored results still hold: of everything that a study reads.
#pragma once

#include <string>
#include <vector>

#include "models/explore/blueprint.hpp"

namespace mlosim::explore {

// The same for the same study, workloads, models, machines, stacks and tables, whichever of them its axes name. Warns
// of stacks that a machine of the study does not run. Throws spec::InputError for what cannot be read.
std::string fingerprint_of(const Blueprint& blueprint, std::vector<std::string>& warnings);

}  // namespace mlosim::explore
