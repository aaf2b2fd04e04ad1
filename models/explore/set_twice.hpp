// What two axes, or an axis and a derived path, both set: the later one would undo the other without a word.
#pragma once

#include "models/explore/blueprint.hpp"

namespace mlosim::explore {

// Adds a diagnostic, with both places, for each path of the study that is set twice, however it is spelt. The axes of
// `blueprint` are in the order in which they are laid over its workloads.
void find_paths_set_twice(const Blueprint& blueprint, spec::Diagnostics& diagnostics);

// Whether the axis sets a member of a workload as a whole, and has to be laid under what sets a key of it.
bool sets_a_member(const Axis& axis);

}  // namespace mlosim::explore
