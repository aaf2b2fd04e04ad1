// Whether a point is run as it says. What a prediction changes with a warning is another point: degrees of parallelism
// that are fitted to 'chips', a stack that another one stands in for.
#pragma once

#include <span>

#include "models/explore/blueprint.hpp"

namespace mlosim::explore {

// `settings` are what the point sets, `run` what came of it. Throws spec::InputError, of the path, where they differ.
void require_run_as_said(const BaseWorkload& base, std::span<const spec::Override> settings,
                         const predict::Workload& run);

}  // namespace mlosim::explore
