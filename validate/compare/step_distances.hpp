// How much wider an interval must be for each step away from what was measured, and how operators' errors go together:
// the parts of residuals.hpp that are measured by leaving something out.
#pragma once

#include <array>
#include <vector>

#include "models/predict/residuals.hpp"
#include "validate/compare/residual_rows.hpp"

namespace mlosim::compare {

// By predict::Step. `curves` are those of rows.own.
std::array<predict::StepDistance, predict::kSteps> measure_steps(const ResidualRows& rows,
                                                                 const std::vector<predict::ResidualCurve>& curves);

struct Correlations {
  double within_kind = 0, across_kinds = 0;  // from 0 to 1, the second not above the first
};
Correlations measure_correlations(const std::vector<Residual>& rows);

}  // namespace mlosim::compare
