// What a row of a comparison says against the first, as its text and its page both say it. Internal to the renderers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/predict/compare.hpp"

namespace mlosim::predict {

// The row that the others are compared with; null where none is predicted.
const Prediction* first_of(const std::vector<Compared>& rows);

// Whether there is a gain to speak of, and reasons for it.
bool has_reasons(const Compared& row, const Prediction& base);
// "1.31x faster", by time.
std::string describe_speed(const Prediction& prediction, const Prediction& base);
// Of the logarithm of what all the reasons make together; none where they make next to nothing.
std::optional<double> share_of(const Reason& reason, const std::vector<Reason>& reasons);
// Time by cause less that of `base`, largest first.
std::vector<std::pair<std::string_view, Seconds>> differences_of(const Prediction& prediction, const Prediction& base);
// Those that matter: "memory -3.20 ms, overhead +120 us"; empty where none does.
std::string describe_differences(const Prediction& prediction, const Prediction& base);
// J, of the facility where it is known.
std::optional<double> energy_per_token(const Prediction& prediction);
std::optional<double> dollars_per_million_tokens(const Prediction& prediction);

}  // namespace mlosim::predict
