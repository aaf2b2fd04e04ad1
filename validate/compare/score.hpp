// How far predictions are from measurements: errors by group of rows, beside two baselines.
#pragma once

#include <cstddef>
#include <vector>

#include "validate/compare/three_constants.hpp"

namespace mlosim::compare {

// Errors as fractions: |predicted / measured - 1|; bias signed, positive where the prediction is too slow. Means and
// percentiles are over the rows that have what they are of; where there are none they are no numbers (rows,
// interval_rows or baseline_rows is 0) and renderers leave them out. A percentile between two rows is interpolated.
struct Score {
  std::size_t rows = 0;
  double mape = 0, median_ape = 0, p90_ape = 0, bias = 0;
  std::size_t interval_rows = 0;  // that have an interval
  double interval_coverage = 0;   // share of them inside it
  std::size_t baseline_rows = 0;  // of kernels, whose data sheet times are known
  double roofline_mape = 0;
  double three_constants_mape = 0;
};

// Linear between two of the values, which it sorts. Requires one at least.
double percentile(std::vector<double>& values, double share);

// Scores rows beside baselines that have been fitted for them: `baseline` knows the cells of all.
Score score(const std::vector<const ScoredRow*>& rows, const ThreeConstantsByCell& baseline);

// The same with the three constants of each device, operator and format fitted on `fit_rows`.
Score score(const std::vector<const ScoredRow*>& rows, const std::vector<const ScoredRow*>& fit_rows);

}  // namespace mlosim::compare
