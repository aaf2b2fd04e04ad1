// Whether the paths of a study's axes exist in its workloads and their machines, and whether their values can stand
// there.
#pragma once

#include <string>
#include <vector>

#include "models/explore/blueprint.hpp"

namespace mlosim::explore {

// Every path that an axis of the workload could have, for hints: of its machine, its model and itself.
std::vector<std::string> known_paths(const BaseWorkload& workload);

// The number at a path of the workload or its machine; empty where there is none.
std::optional<ParsedQuantity> number_at(const BaseWorkload& workload, const std::string& path);

// Whether the workload takes the axis. Values that cannot stand there, in any combination, are diagnostics; where the
// path itself does not exist in this workload `unknown` says why.
bool takes_axis(const spec::Library& library, const BaseWorkload& workload, const Axis& axis,
                spec::Diagnostics& diagnostics, std::vector<spec::Diagnostic>& unknown);

}  // namespace mlosim::explore
