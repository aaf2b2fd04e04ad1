// Parts of a prediction's text that an explanation shows, too. Internal to the renderers.
#pragma once

#include <string>
#include <string_view>

#include "models/predict/predict.hpp"

namespace mlosim::predict {

std::string percent(double share);
// "9.6e+12 B/s" as "9.60 TB/s".
std::string shorten(const std::string& quantity);
// A line of the head: a label in its column, and text.
std::string row(std::string_view label, const std::string& text);

// System, time, rates, power and cost.
std::string render_head(const Prediction& prediction);
// Bytes by use, and what to change where they do not fit; empty for bare operators.
std::string render_memory(const Evaluation& evaluation);
// Time by cause.
std::string render_breakdown(const Evaluation& evaluation);
std::string render_bottlenecks(const Prediction& prediction);
std::string render_assumptions(const Prediction& prediction);

}  // namespace mlosim::predict
