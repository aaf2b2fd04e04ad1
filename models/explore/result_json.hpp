// What the JSON document of a result and the data of its page have in common. Internal to the renderers.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "models/explore/result.hpp"

namespace mlosim::explore {

using Json = nlohmann::ordered_json;

// JSON has no infinity and no NaN.
Json number_or_null(double x);
// [{"name": …, "weight": …}, …]
Json workloads_json(const Result& result);

}  // namespace mlosim::explore
