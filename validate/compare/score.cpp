#include "validate/compare/score.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace mlosim::compare {
namespace {

double error_of(const ScoredRow& row, double predicted) { return predicted / row.measured - 1; }

template <class Predicted>
double mean_absolute_error(const std::vector<const ScoredRow*>& rows, const Predicted& predicted) {
  double sum = 0;
  for (const ScoredRow* row : rows) sum += std::abs(error_of(*row, predicted(*row)));
  return rows.empty() ? 0 : sum / static_cast<double>(rows.size());
}

// The value at which the weights on either side balance: the minimum of Σ weight·|x − value|.
double weighted_median(std::vector<std::pair<double, double>>& values) {
  std::sort(values.begin(), values.end());
  double all = 0, below = 0;
  for (const auto& [value, weight] : values) all += weight;
  for (const auto& [value, weight] : values) {
    below += weight;
    if (below >= all / 2) return value;
  }
  return values.empty() ? 0 : values.back().first;
}

// Coordinate descent: with the other two constants held, the best third one is a weighted median.
class ThreeConstantFit {
 public:
  explicit ThreeConstantFit(const std::vector<const ScoredRow*>& rows) : rows_(rows) {}

  std::pair<double, ThreeConstants> from(ThreeConstants start) {
    ThreeConstants best = start;
    double least = mean_absolute_error(rows_, [&](const ScoredRow& row) { return best.time(row); });
    for (int round = 0; round < kRounds; ++round) {
      ThreeConstants next = best;
      improve_fixed(next);
      improve_efficiency(next, &ThreeConstants::compute_efficiency, &ScoredRow::compute, true);
      improve_efficiency(next, &ThreeConstants::memory_efficiency, &ScoredRow::memory, false);
      const double error = mean_absolute_error(rows_, [&](const ScoredRow& row) { return next.time(row); });
      if (error >= least * (1 - kLeastGain)) break;
      least = error;
      best = next;
    }
    return {least, best};
  }

 private:
  static constexpr int kRounds = 20;
  static constexpr double kLeastGain = 1e-4;

  void improve_fixed(ThreeConstants& c) {
    values_.clear();
    for (const ScoredRow* row : rows_)
      values_.emplace_back(row->measured - (c.time(*row) - c.fixed), 1 / row->measured);
    c.fixed = std::max(0.0, weighted_median(values_));
  }

  void improve_efficiency(ThreeConstants& c, double ThreeConstants::*efficiency, double ScoredRow::*work,
                          bool is_compute) {
    values_.clear();
    for (const ScoredRow* row : rows_) {
      const bool compute_bound = row->compute / c.compute_efficiency > row->memory / c.memory_efficiency;
      if (compute_bound != is_compute || row->*work <= 0) continue;
      // |fixed + work·x − measured| / measured is least at x = (measured − fixed)/work.
      values_.emplace_back((row->measured - c.fixed) / (row->*work), row->*work / row->measured);
    }
    if (!values_.empty()) c.*efficiency = std::clamp(1 / std::max(weighted_median(values_), 1e-9), 0.005, 1.0);
  }

  const std::vector<const ScoredRow*>& rows_;
  std::vector<std::pair<double, double>> values_;
};

double percentile(std::vector<double>& values, double share) {
  const auto at = static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

}  // namespace

double ThreeConstants::time(const ScoredRow& row) const {
  return fixed + std::max(row.compute / compute_efficiency, row.memory / memory_efficiency);
}

ThreeConstants fit_three_constants(const std::vector<const ScoredRow*>& rows) {
  ThreeConstantFit fit(rows);
  double shortest = 1e9;
  for (const ScoredRow* row : rows) shortest = std::min(shortest, row->measured);
  std::pair<double, ThreeConstants> best{1e300, {}};
  for (const auto& [compute, memory] :
       std::array<std::pair<double, double>, 4>{{{0.8, 0.8}, {0.3, 0.8}, {0.8, 0.3}, {0.3, 0.3}}}) {
    const auto found = fit.from({.fixed = shortest, .compute_efficiency = compute, .memory_efficiency = memory});
    if (found.first < best.first) best = found;
  }
  return best.second;
}

Score score(const std::vector<const ScoredRow*>& rows, const std::vector<const ScoredRow*>& fit_rows) {
  Score s;
  s.rows = rows.size();
  if (rows.empty()) return s;
  std::vector<double> absolute;
  double covered = 0;
  for (const ScoredRow* row : rows) {
    const double error = error_of(*row, row->predicted);
    absolute.push_back(std::abs(error));
    s.bias += error;
    if (row->measured >= row->low && row->measured <= row->high) covered += 1;
  }
  const auto count = static_cast<double>(rows.size());
  for (const double error : absolute) s.mape += error;
  s.mape /= count;
  s.bias /= count;
  s.interval_coverage = covered / count;
  s.median_ape = percentile(absolute, 0.5);
  s.p90_ape = percentile(absolute, 0.9);
  s.roofline_mape = mean_absolute_error(rows, [](const ScoredRow& row) { return row.roofline; });
  const ThreeConstants three = fit_three_constants(fit_rows.empty() ? rows : fit_rows);
  s.three_constants_mape = mean_absolute_error(rows, [&](const ScoredRow& row) { return three.time(row); });
  return s;
}

}  // namespace mlosim::compare
