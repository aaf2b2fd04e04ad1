#include "validate/compare/three_constants.hpp"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "sim/units/check.hpp"

namespace mlosim::compare {
namespace {

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
    double least = error_of(best);
    for (int round = 0; round < kRounds; ++round) {
      ThreeConstants next = best;
      improve_fixed(next);
      improve_efficiency(next, &ThreeConstants::compute_efficiency, &DatasheetTimes::compute, true);
      improve_efficiency(next, &ThreeConstants::memory_efficiency, &DatasheetTimes::memory, false);
      const double error = error_of(next);
      if (error >= least * (1 - kLeastGain)) break;
      least = error;
      best = next;
    }
    return {least, best};
  }

 private:
  static constexpr int kRounds = 20;
  static constexpr double kLeastGain = 1e-4;

  double error_of(const ThreeConstants& c) const {
    double sum = 0;
    for (const ScoredRow* row : rows_) sum += std::abs(c.time(*row->datasheet) / row->measured - 1);
    return rows_.empty() ? 0 : sum / static_cast<double>(rows_.size());
  }

  void improve_fixed(ThreeConstants& c) {
    values_.clear();
    for (const ScoredRow* row : rows_)
      values_.emplace_back(row->measured - (c.time(*row->datasheet) - c.fixed), 1 / row->measured);
    c.fixed = std::max(0.0, weighted_median(values_));
  }

  void improve_efficiency(ThreeConstants& c, double ThreeConstants::*efficiency, double DatasheetTimes::*work,
                          bool is_compute) {
    values_.clear();
    for (const ScoredRow* row : rows_) {
      const DatasheetTimes& times = *row->datasheet;
      const bool compute_bound = times.compute / c.compute_efficiency > times.memory / c.memory_efficiency;
      if (compute_bound != is_compute || times.*work <= 0) continue;
      // |fixed + work·x − measured| / measured is least at x = (measured − fixed)/work.
      values_.emplace_back((row->measured - c.fixed) / (times.*work), times.*work / row->measured);
    }
    if (!values_.empty()) c.*efficiency = std::clamp(1 / std::max(weighted_median(values_), 1e-9), 0.005, 1.0);
  }

  const std::vector<const ScoredRow*>& rows_;
  std::vector<std::pair<double, double>> values_;
};

}  // namespace

double ThreeConstants::time(const DatasheetTimes& row) const {
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

ThreeConstantsByCell::ThreeConstantsByCell(const std::vector<const ScoredRow*>& rows,
                                           const std::vector<const ScoredRow*>& fit_rows, Cell cell)
    : cell_(cell) {
  struct Rows {
    std::vector<const ScoredRow*> scored, fitted;
  };
  std::map<KeyView, Rows> cells;
  for (const ScoredRow* row : rows) {
    if (row->datasheet) cells[key_of(*row)].scored.push_back(row);
  }
  for (const ScoredRow* row : fit_rows) {
    const auto found = row->datasheet ? cells.find(key_of(*row)) : cells.end();
    if (found != cells.end()) found->second.fitted.push_back(row);
  }
  std::vector<std::pair<const Rows*, ThreeConstants*>> fits;
  for (const auto& [key, own] : cells) fits.emplace_back(&own, &constants_[Key(key)]);
  tbb::parallel_for(std::size_t(0), fits.size(), [&](std::size_t i) {
    const Rows& own = *fits[i].first;
    *fits[i].second = fit_three_constants(own.fitted.empty() ? own.scored : own.fitted);
  });
}

ThreeConstantsByCell::KeyView ThreeConstantsByCell::key_of(const ScoredRow& row) const {
  return {cell_ == Cell::device_op_dtype ? std::string_view(row.device) : std::string_view(), row.op, row.dtype};
}

double ThreeConstantsByCell::time(const ScoredRow& row) const {
  const auto found = constants_.find(key_of(row));
  MLOSIM_CHECK(found != constants_.end() && row.datasheet);
  return found->second.time(*row.datasheet);
}

}  // namespace mlosim::compare
