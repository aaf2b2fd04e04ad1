// A study's expressions, bound to the numbers that they take: derived paths, constraints, objectives.
#pragma once

#include <string>
#include <vector>

#include "models/explore/blueprint.hpp"

namespace mlosim::explore {

// Fills derived, constraints and objectives of a blueprint whose slots are assigned, and what each workload takes of
// the derived paths. Throws spec::InputError with all mistakes; warns of variables that nothing takes.
void bind_expressions(Blueprint& blueprint, std::vector<std::string>& warnings);

// Throws spec::InputError for figures that a workload does not have: such a one can neither be an objective nor bound
// it.
void check_figures(const Blueprint& blueprint);

}  // namespace mlosim::explore
