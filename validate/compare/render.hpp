// A validation as text, JSON (interfaces.md, "Measurements") and CSV.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "validate/compare/validate.hpp"

namespace mlosim::compare {

std::string_view name_of(GroupKey key);

// Tables for people: groups beside the baselines, the worst rows, what was skipped and why.
std::string render_text(const Validation& validation);
// One JSON document; errors as fractions.
std::string render_json(const Validation& validation);
// Every scored row of the tables as it stands, with predicted_us, low_us and high_us, and analytic_us where rows were
// predicted in closed form, too; under the columns of all tables where they differ. An interval that there is none of
// stays empty. Published figures are left out, with a warning.
std::string render_predictions(const Validation& validation, std::vector<std::string>& warnings);

}  // namespace mlosim::compare
