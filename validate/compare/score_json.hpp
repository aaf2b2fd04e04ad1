// A score as JSON, the same wherever errors are printed: by validation and by calibration.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "validate/compare/score.hpp"

namespace mlosim::compare {

// {"rows", "mape", "median_ape", "p90_ape", "bias", "interval_coverage", "baseline_mape": {"roofline",
// "three_constants"}}; null where no row says anything of it.
nlohmann::ordered_json score_json(const Score& score);

}  // namespace mlosim::compare
