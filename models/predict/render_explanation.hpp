// An explanation as text and as JSON.
#pragma once

#include <string>

#include "models/predict/explain.hpp"
#include "models/predict/render.hpp"

namespace mlosim::predict {

// For people: where the time goes, then operator by operator, then what the answer leans on.
std::string render_text(const Explanation& explanation);
// The result's document (render.hpp) with `operators` in place of `ops`; schema mlosim/explanation/1.
std::string render_json(const Explanation& explanation, const RunFacts& run);

}  // namespace mlosim::predict
