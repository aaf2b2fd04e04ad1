// A calibration as text and as JSON.
#pragma once

#include <string>

#include "validate/calibrate/calibrate.hpp"

namespace mlosim::calibrate {

// Tables for people: each parameter's old and new value, error and what it is worth, what is not identified and why,
// the scores of both halves beside the baselines.
std::string render_text(const Calibration& calibration);
// One JSON document; errors as fractions, values in SI units beside their texts.
std::string render_json(const Calibration& calibration);

}  // namespace mlosim::calibrate
