// How far the two fidelities are apart: rows that were played beside the closed forms of the same kernels.
#pragma once

#include <cstddef>
#include <vector>

#include "validate/compare/scored_row.hpp"

namespace mlosim::compare {

// Of the rows that have both. Errors as in Score; distances in ln(event / analytic).
struct Disagreement {
  std::size_t rows = 0;
  double event_mape = 0, analytic_mape = 0;
  double event_bias = 0, analytic_bias = 0;
  double median = 0, p90 = 0;  // of |ln|
  double bias = 0;             // mean of ln: positive where the play is slower
};

Disagreement disagreement_of(const std::vector<const ScoredRow*>& rows);

// Indices of the rows that the fidelities disagree most about, the farthest apart first; ties in the rows' order.
std::vector<std::size_t> most_apart(const std::vector<ScoredRow>& rows, std::size_t count);

// ln(event / analytic). Requires a row that has both.
double log_apart(const ScoredRow& row);

}  // namespace mlosim::compare
