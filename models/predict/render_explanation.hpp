// An explanation as text, as JSON and as a page.
#pragma once

#include <string>

#include "models/predict/explain.hpp"
#include "models/predict/render.hpp"

namespace mlosim::predict {

// For people: where the time goes, then operator by operator, then what the answer leans on.
std::string render_text(const Explanation& explanation);
// The result's document (render.hpp) with `operators` in place of `ops`; schema mlosim/explanation/1.
std::string render_json(const Explanation& explanation, const RunFacts& run);
// One page that needs neither a network nor scripts: summary, bars, operators, roofline, elasticities.
std::string render_html(const Explanation& explanation);

}  // namespace mlosim::predict
