// What there is at the paths of a workload, its model and its machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/explore/blueprint.hpp"

namespace mlosim::explore {

// Every path that an axis of the workload could have, for hints: of its machine, its model and itself.
std::vector<std::string> known_paths(const BaseWorkload& workload);

// The number at a path of the workload or its machine, as its overrides leave it; empty where there is none.
std::optional<ParsedQuantity> number_at(const BaseWorkload& workload, const std::string& path);

// The number or word of the machine that a path leads through as if it had members; empty where it does not.
std::optional<std::string> leaf_above(const BaseWorkload& workload, const std::string& path);

}  // namespace mlosim::explore
