// What a study's result depends on, as one short text: its own file, its workloads, their machines, the version of
// mlosim. Two runs with one fingerprint have one result.
#pragma once

#include <string>
#include <string_view>

#include "models/explore/blueprint.hpp"

namespace mlosim::explore {

std::string fingerprint_of(const Blueprint& blueprint);

}  // namespace mlosim::explore
