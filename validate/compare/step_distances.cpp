#include "validate/compare/step_distances.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "models/predict/interval.hpp"
#include "validate/compare/residuals.hpp"

namespace mlosim::compare {
namespace {

using predict::Quantiles;
using predict::ResidualCurve;
using predict::Step;
using predict::StepDistance;

constexpr double kWidest = 3;        // a factor of 20
constexpr double kChipsOfUsual = 2;  // what the usual distance weighs beside that of some chips
constexpr std::size_t kRowsToHalve = 80, kRowsToCorrelate = 10;

template <class PerStep>
auto& of_step(PerStep& per_step, Step step) {
  return per_step[static_cast<std::size_t>(step)];
}

// A row around an interval that lacks a step, which is taken `steps` times.
struct Trial {
  double log_ratio = 0;
  Quantiles before;
  double steps = 1;
};

// Rows that a step weighs alike: those of one chip (and lender), runtime and format.
struct Unit {
  std::string op, chip, lender, runtime, format;

  friend auto operator<=>(const Unit&, const Unit&) = default;
};
using Units = std::map<Unit, std::vector<Trial>>;

bool holds(const Trial& trial, double distance) {
  Quantiles widened = trial.before;
  widened.distance = std::hypot(widened.distance, distance * trial.steps);
  return widened.lower() <= trial.log_ratio && trial.log_ratio <= widened.upper();
}

double mean_coverage(const Units& units, double distance) {
  double sum = 0;
  for (const auto& [unit, trials] : units) {
    const auto inside =
        std::count_if(trials.begin(), trials.end(), [&](const Trial& trial) { return holds(trial, distance); });
    sum += static_cast<double>(inside) / static_cast<double>(trials.size());
  }
  return sum / static_cast<double>(units.size());
}

// The least distance at which the units are covered at the interval's level, by bisection.
double distance_that_covers(const Units& units) {
  if (units.empty() || mean_coverage(units, 0) >= predict::kIntervalLevel) return 0;
  double below = 0, above = kWidest;
  constexpr int kBisections = 20;
  for (int i = 0; i < kBisections; ++i) {
    const double middle = (below + above) / 2;
    (mean_coverage(units, middle) < predict::kIntervalLevel ? below : above) = middle;
  }
  return above;
}

// The units' own distance, leaning on `usual` as kChipsOfUsual more chips would.
double leaning_distance(const Units& units, double usual) {
  std::set<std::string> chips;
  for (const auto& [unit, trials] : units) chips.insert(unit.chip);
  const double n = static_cast<double>(chips.size());
  return (n * distance_that_covers(units) + kChipsOfUsual * usual) / (n + kChipsOfUsual);
}

StepDistance distance_of(const Units& units, double usual) {
  StepDistance distance{.usual = usual, .by_op = {}};
  std::map<std::string, Units> by_op;
  for (const auto& [unit, trials] : units) by_op[unit.op].emplace(unit, trials);
  for (const auto& [op, own] : by_op) distance.by_op[op] = leaning_distance(own, usual);
  return distance;
}

class Steps {
 public:
  Steps(const ResidualRows& rows, const std::vector<ResidualCurve>& curves) : rows_(rows) {
    for (const ResidualCurve& curve : curves) by_chip_[curve.chip].push_back(&curve);
  }

  std::array<StepDistance, predict::kSteps> measure() {
    for (const BorrowedResidual& row : rows_.borrowed) try_borrowed(row);
    for (const Residual& row : rows_.own) try_neighbours(row);
    try_halves();
    std::array<StepDistance, predict::kSteps> steps;
    for (std::size_t i = 0; i < predict::kSteps; ++i)
      steps[i] = distance_of(units_[i], distance_that_covers(units_[i]));
    // Few siblings are fitted apart: what they do not tell is as for another family.
    const Units& siblings = of_step(units_, Step::chip);
    of_step(steps, Step::chip) = distance_of(siblings, leaning_distance(siblings, of_step(steps, Step::family).usual));
    // An operator without curves has no distance of its own, and too few sizes lie far apart to tell operators from
    // each other.
    for (const Step step : {Step::op, Step::kind, Step::size}) of_step(steps, step).by_op.clear();
    return steps;
  }

 private:
  void add(Step step, const predict::ResidualKey& key, const std::string& lender, const Trial& trial) {
    of_step(units_, step)[{key.op, key.chip, lender, key.runtime, key.format}].push_back(trial);
  }

  // The mean of the chip's curves that are admitted, at the row's time.
  template <class Admitted>
  std::optional<Quantiles> mean_of(const std::string& chip, const Residual& row, Admitted admitted) const {
    const auto curves = by_chip_.find(chip);
    if (curves == by_chip_.end()) return std::nullopt;
    Quantiles sum;
    double n = 0;
    for (const ResidualCurve* curve : curves->second) {
      if (!admitted(*curve)) continue;
      const Quantiles own = curve->at(row.key.time);
      sum.low += own.low;
      sum.high += own.high;
      ++n;
    }
    if (n == 0) return std::nullopt;
    return Quantiles{.low = sum.low / n, .high = sum.high / n};
  }

  void try_borrowed(const BorrowedResidual& row) {
    const predict::ResidualKey& key = row.residual.key;
    const auto around = mean_of(row.chip, row.residual, [&](const ResidualCurve& curve) {
      return curve.op == key.op && curve.has(key.runtime, key.format);
    });
    if (!around) return;
    add(row.family == key.family ? Step::chip : Step::family, key, row.chip,
        {.log_ratio = row.residual.log_ratio, .before = *around});
  }

  void try_neighbours(const Residual& row) {
    const predict::ResidualKey& key = row.key;
    const auto has_runtime = [&](const ResidualCurve& curve) { return curve.formats.contains(key.runtime); };
    const auto has_format = [&](const ResidualCurve& curve) {
      return std::any_of(curve.formats.begin(), curve.formats.end(), [&](const auto& formats) {
        return std::find(formats.second.begin(), formats.second.end(), key.format) != formats.second.end();
      });
    };
    const auto try_step = [&](Step step, auto admitted) {
      if (const auto around = mean_of(key.chip, row, admitted))
        add(step, key, "", {.log_ratio = row.log_ratio, .before = *around});
    };
    try_step(Step::format, [&](const ResidualCurve& c) { return c.op == key.op && has_runtime(c) && !has_format(c); });
    try_step(Step::runtime, [&](const ResidualCurve& c) { return c.op == key.op && !has_runtime(c) && has_format(c); });
    try_step(Step::op, [&](const ResidualCurve& c) {
      return c.op != key.op && predict::kind_of(c.op) == predict::kind_of(key.op) && has_runtime(c);
    });
    try_step(Step::kind, [&](const ResidualCurve& c) {
      return predict::kind_of(c.op) != predict::kind_of(key.op) && has_runtime(c);
    });
  }

  // Longer rows around what shorter ones of the same operator say, and the other way round.
  void try_halves() {
    std::map<Unit, std::vector<Residual>> by_unit;
    for (const Residual& row : rows_.own)
      by_unit[{row.key.op, row.key.chip, "", row.key.runtime, row.key.format}].push_back(row);
    for (auto& [unit, rows] : by_unit) {
      if (rows.size() < kRowsToHalve) continue;
      std::stable_sort(rows.begin(), rows.end(),
                       [](const Residual& a, const Residual& b) { return a.key.time < b.key.time; });
      const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2);
      const std::vector<Residual> shorter(rows.begin(), middle), longer(middle, rows.end());
      try_half(unit, "shorter", longer, make_curves(shorter).front());
      try_half(unit, "longer", shorter, make_curves(longer).front());
    }
  }

  void try_half(Unit unit, const std::string& known, const std::vector<Residual>& rows, const ResidualCurve& curve) {
    unit.lender = known;
    for (const Residual& row : rows) {
      const double outside = curve.outside(row.key.time);
      if (outside <= 0) continue;
      of_step(units_, Step::size)[unit].push_back(
          {.log_ratio = row.log_ratio, .before = curve.at(row.key.time), .steps = outside});
    }
  }

  const ResidualRows& rows_;
  std::map<std::string, std::vector<const ResidualCurve*>> by_chip_;
  std::array<Units, predict::kSteps> units_;
};

// Σ x and Σ x² of a group of residuals.
struct Moments {
  double n = 0, sum = 0, squares = 0;

  void add(double x) {
    ++n;
    sum += x;
    squares += x * x;
  }
  double mean_in_rms() const { return sum / std::sqrt(n * squares); }
};

}  // namespace

std::array<StepDistance, predict::kSteps> measure_steps(const ResidualRows& rows,
                                                        const std::vector<ResidualCurve>& curves) {
  return Steps(rows, curves).measure();
}

Correlations measure_correlations(const std::vector<Residual>& rows) {
  std::map<Unit, Moments> groups;
  for (const Residual& row : rows)
    groups[{row.key.op, row.key.chip, "", row.key.runtime, row.key.format}].add(row.log_ratio);
  Moments within;                                                                        // of the groups' correlations
  std::map<std::tuple<std::string, std::string>, std::map<std::string, Moments>> means;  // by machine, then kind
  for (const auto& [unit, group] : groups) {
    if (group.n < kRowsToCorrelate || group.squares <= 0) continue;
    within.add((group.sum * group.sum - group.squares) / ((group.n - 1) * group.squares));
    means[{unit.chip, unit.runtime}][std::string(predict::kind_of(unit.op))].add(group.mean_in_rms());
  }
  Moments across;
  for (const auto& [machine, kinds] : means) {
    for (auto a = kinds.begin(); a != kinds.end(); ++a) {
      for (auto b = std::next(a); b != kinds.end(); ++b)
        across.add(a->second.sum / a->second.n * (b->second.sum / b->second.n));
    }
  }
  const auto mean = [](const Moments& m) { return m.n > 0 ? m.sum / m.n : 0; };
  const double within_kind = std::clamp(mean(within), 0.0, 1.0);
  return {.within_kind = within_kind, .across_kinds = std::clamp(mean(across), 0.0, within_kind)};
}

}  // namespace mlosim::compare
