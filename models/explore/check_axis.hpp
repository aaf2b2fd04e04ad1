// Whether the paths of a study's axes exist in its workloads and their machines, and whether their values can stand
// there: what is said before the first point.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "models/explore/blueprint.hpp"

namespace mlosim::explore {

// Whether the workload takes the axis. Values that cannot stand there, in any combination, are diagnostics; where the
// path itself does not exist in this workload `unknown` says why. `all`: the study's axes: numbers of a machine that
// would be wrong alone can stand beside those of another axis.
bool takes_axis(const spec::Library& library, const BaseWorkload& workload, const Axis& axis, std::span<const Axis> all,
                spec::Diagnostics& diagnostics, std::vector<spec::Diagnostic>& unknown);

// Whether the axis is a range over what the workload, its model or its machine has whole numbers of.
bool is_range_of_counts(const spec::Library& library, const BaseWorkload& workload, const Axis& axis);

}  // namespace mlosim::explore
