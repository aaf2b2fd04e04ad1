// The members of a result's JSON document, which an explanation has, too. Internal to the renderers.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "models/predict/predict.hpp"
#include "models/predict/render.hpp"

namespace mlosim::predict {

using Json = nlohmann::ordered_json;

Json result_json(const Prediction& prediction, const RunFacts& run);
// Runs of an operator: a whole number, but where steps of a generation are shared by distance.
Json count_of(double count);
// The text of one JSON document.
std::string document_of(const Json& json);

}  // namespace mlosim::predict
