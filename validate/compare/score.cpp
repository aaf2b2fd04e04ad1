#include "validate/compare/score.hpp"

#include <algorithm>
#include <cmath>

namespace mlosim::compare {
namespace {

double error_of(const ScoredRow& row, double predicted) { return predicted / row.measured - 1; }

}  // namespace

double percentile(std::vector<double>& values, double share) {
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

Score score(const std::vector<const ScoredRow*>& rows, const ThreeConstantsByCell& baseline) {
  Score s;
  s.rows = rows.size();
  if (rows.empty()) return s;
  std::vector<double> absolute;
  for (const ScoredRow* row : rows) {
    const double error = error_of(*row, row->predicted);
    absolute.push_back(std::abs(error));
    s.mape += std::abs(error);
    s.bias += error;
    if (row->interval) {
      ++s.interval_rows;
      s.interval_coverage += row->interval->contains(row->measured) ? 1 : 0;
    }
    if (row->datasheet) {
      ++s.baseline_rows;
      s.roofline_mape += std::abs(error_of(*row, row->datasheet->roofline));
      s.three_constants_mape += std::abs(error_of(*row, baseline.time(*row)));
    }
  }
  const auto divide = [](double& sum, std::size_t count) {
    if (count > 0) sum /= static_cast<double>(count);
  };
  divide(s.mape, s.rows);
  divide(s.bias, s.rows);
  divide(s.interval_coverage, s.interval_rows);
  divide(s.roofline_mape, s.baseline_rows);
  divide(s.three_constants_mape, s.baseline_rows);
  s.median_ape = percentile(absolute, 0.5);
  s.p90_ape = percentile(absolute, 0.9);
  return s;
}

Score score(const std::vector<const ScoredRow*>& rows, const std::vector<const ScoredRow*>& fit_rows) {
  return score(rows, ThreeConstantsByCell(rows, fit_rows));
}

}  // namespace mlosim::compare
