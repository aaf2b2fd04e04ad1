#include "validate/compare/residuals.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <tuple>

#include "validate/compare/step_distances.hpp"

namespace mlosim::compare {
namespace {

using predict::ResidualCurve;

constexpr double kTail = 0.1;  // of rows on either side of an 80 % interval
constexpr std::size_t kFewRows = 25, kRowsOfPoint = 40, kMostPoints = 6;
constexpr double kRowsOfPrior = 5;
constexpr double kNearestPoints = 1.05;  // ratio of times of neighbouring points, at least

using Rows = std::vector<const Residual*>;

// The value that a share of further rows is below: between order statistics, so that n rows cut their range in n + 1
// equally likely parts.
double quantile(const std::vector<double>& sorted, double share) {
  const double n = static_cast<double>(sorted.size());
  const double place = std::clamp((n + 1) * share - 1, 0.0, n - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

// Formats by runtime, and their rows.
struct Cell {
  std::map<std::string, std::vector<std::string>> formats;
  Rows rows;

  void add(const Cell& other) {
    for (const auto& [runtime, words] : other.formats)
      formats[runtime].insert(formats[runtime].end(), words.begin(), words.end());
    rows.insert(rows.end(), other.rows.begin(), other.rows.end());
  }
};

// Keeps the cells with rows enough; the others together, where there are any.
std::vector<Cell> merge_small(std::vector<Cell> cells, Cell& small) {
  std::vector<Cell> kept;
  for (Cell& cell : cells) {
    if (cell.rows.size() < kFewRows) {
      small.add(cell);
    } else {
      kept.push_back(std::move(cell));
    }
  }
  return kept;
}

std::vector<Cell> cells_of(const Rows& rows) {
  std::map<std::string, std::map<std::string, Rows>> by_runtime;
  for (const Residual* row : rows) by_runtime[row->key.runtime][row->key.format].push_back(row);
  std::vector<Cell> all;
  std::vector<Cell> leftovers;
  for (const auto& [runtime, by_format] : by_runtime) {
    std::vector<Cell> cells;
    for (const auto& [format, own] : by_format) cells.push_back({.formats = {{runtime, {format}}}, .rows = own});
    Cell small;
    std::vector<Cell> kept = merge_small(std::move(cells), small);
    std::move(kept.begin(), kept.end(), std::back_inserter(all));
    if (!small.rows.empty()) leftovers.push_back(std::move(small));
  }
  Cell rest;
  std::vector<Cell> kept = merge_small(std::move(leftovers), rest);
  std::move(kept.begin(), kept.end(), std::back_inserter(all));
  if (!rest.rows.empty()) all.push_back(std::move(rest));
  return all;
}

std::vector<double> log_ratios_of(Rows::const_iterator first, Rows::const_iterator last) {
  std::vector<double> log_ratios;
  for (auto row = first; row != last; ++row) log_ratios.push_back((*row)->log_ratio);
  return log_ratios;
}

// Neighbouring rows in time, as many in each point; those that would fall together with the point before join it.
std::vector<ResidualCurve::Point> make_points(const Rows& by_time, const std::pair<double, double>& prior) {
  const auto at = [&](std::size_t i) { return by_time.begin() + static_cast<std::ptrdiff_t>(i); };
  const std::size_t count = std::clamp<std::size_t>(by_time.size() / kRowsOfPoint, 1, kMostPoints);
  const auto middle_of = [&](std::size_t first, std::size_t last) { return by_time[(first + last) / 2]->key.time; };
  std::vector<std::size_t> bounds{0};  // of the points' rows
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t last = (i + 1) * by_time.size() / count;
    while (bounds.size() > 1 &&
           middle_of(bounds.back(), last) <= middle_of(bounds[bounds.size() - 2], bounds.back()) * kNearestPoints)
      bounds.pop_back();
    bounds.push_back(last);
  }
  std::vector<ResidualCurve::Point> points;
  for (std::size_t i = 0; i + 1 < bounds.size(); ++i) {
    const std::size_t first = bounds[i], last = bounds[i + 1];
    const auto [low, high] = band_of(log_ratios_of(at(first), at(last)));
    const double n = static_cast<double>(last - first), all = n + kRowsOfPrior;
    points.push_back({.time = middle_of(first, last),
                      .low = (n * low + kRowsOfPrior * prior.first) / all,
                      .high = (n * high + kRowsOfPrior * prior.second) / all});
  }
  return points;
}

ResidualCurve make_curve(Cell cell, const std::pair<double, double>& prior) {
  std::stable_sort(cell.rows.begin(), cell.rows.end(),
                   [](const Residual* a, const Residual* b) { return a->key.time < b->key.time; });
  const predict::ResidualKey& key = cell.rows.front()->key;
  return {.op = key.op,
          .chip = key.chip,
          .family = key.family,
          .formats = std::move(cell.formats),
          .rows = cell.rows.size(),
          .shortest = key.time,
          .longest = cell.rows.back()->key.time,
          .points = make_points(cell.rows, prior)};
}

}  // namespace

std::pair<double, double> band_of(std::vector<double> log_ratios) {
  if (log_ratios.empty()) return {0, 0};
  std::sort(log_ratios.begin(), log_ratios.end());
  const double low = quantile(log_ratios, kTail), high = quantile(log_ratios, 1 - kTail);
  const double parts = static_cast<double>(log_ratios.size()) + 1;
  if (low > 0) {
    const auto below = std::lower_bound(log_ratios.begin(), log_ratios.end(), 0.0) - log_ratios.begin();
    return {0, std::max(0.0, quantile(log_ratios, static_cast<double>(below) / parts + 1 - 2 * kTail))};
  }
  if (high < 0) {
    const auto above = log_ratios.end() - std::upper_bound(log_ratios.begin(), log_ratios.end(), 0.0);
    return {std::min(0.0, quantile(log_ratios, 2 * kTail - static_cast<double>(above) / parts)), 0};
  }
  return {low, high};
}

std::vector<ResidualCurve> make_curves(const std::vector<Residual>& rows) {
  std::map<std::string, std::vector<double>> by_op;
  std::map<std::tuple<std::string, std::string, std::string>, Rows> by_chip;
  for (const Residual& row : rows) {
    by_op[row.key.op].push_back(row.log_ratio);
    by_chip[{row.key.op, row.key.family, row.key.chip}].push_back(&row);
  }
  std::map<std::string, std::pair<double, double>> priors;
  for (auto& [op, log_ratios] : by_op) priors[op] = band_of(std::move(log_ratios));
  std::vector<ResidualCurve> curves;
  for (const auto& [chip, own] : by_chip) {
    for (Cell& cell : cells_of(own)) curves.push_back(make_curve(std::move(cell), priors.at(std::get<0>(chip))));
  }
  return curves;
}

predict::ResidualTable measure_residuals(const ResidualRows& rows) {
  predict::ResidualTable table;
  table.curves = make_curves(rows.own);
  table.steps = measure_steps(rows, table.curves);
  const Correlations correlations = measure_correlations(rows.own);
  table.within_kind = correlations.within_kind;
  table.across_kinds = correlations.across_kinds;
  return table;
}

}  // namespace mlosim::compare
