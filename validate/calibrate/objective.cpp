#include "validate/calibrate/objective.hpp"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/units/check.hpp"
#include "validate/compare/predict_row.hpp"
#include "validate/compare/score_row.hpp"

namespace mlosim::calibrate {
namespace {

double log_error(const Row& row, const spec::Hardware& hardware, chip::Fidelity fidelity) {
  return std::log(compare::predict_row(*row.measurement, hardware, {.fidelity = fidelity}).time /
                  row.measurement->measured);
}

}  // namespace

Objective::Objective(const RowSet& set, std::vector<FreeParameter> parameters, bool runtime_layer,
                     chip::Fidelity fidelity)
    : set_(set), fidelity_(fidelity), parameters_(std::move(parameters)), operators_(set.operators()) {
  for (const Machine& machine : set.machines) {
    std::vector<bool> holds;
    for (const FreeParameter& p : parameters_) {
      const spec::Value* value = value_at(machine.documents.chip, p.path);
      holds.push_back(runtime_layer || (value && value->place().file == p.file));
    }
    holds_.push_back(std::move(holds));
  }
  for (const std::string& op : operators_) {
    std::vector<bool> moves;
    for (const FreeParameter& p : parameters_) {
      const auto lists = [&](const std::vector<std::string>& list) {
        return std::find(list.begin(), list.end(), op) != list.end();
      };
      moves.push_back(lists(p.rule.operators) || lists(p.rule.also_moves));
    }
    moves_.push_back(std::move(moves));
  }
  const std::vector<spec::Hardware> machines = machines_at(initial());
  std::vector<char> runs(set.rows.size(), 0);
  tbb::parallel_for(std::size_t(0), set.rows.size(), [&](std::size_t i) {
    try {
      runs[i] = std::isfinite(log_error(set.rows[i], machines[set.rows[i].machine], chip::Fidelity::analytic));
    } catch (const spec::InputError&) {
      runs[i] = 0;
    }
  });
  for (std::size_t i = 0; i < set.rows.size(); ++i) {
    if (!runs[i]) continue;
    rows_.push_back(set.rows[i]);
    const auto op = std::lower_bound(operators_.begin(), operators_.end(), operator_of(*set.rows[i].measurement));
    operator_of_row_.push_back(static_cast<std::size_t>(op - operators_.begin()));
  }
  dropped_ = set.rows.size() - rows_.size();
}

Setting Objective::initial() const {
  Setting setting;
  for (const FreeParameter& p : parameters_) setting.push_back(p.text);
  return setting;
}

Setting Objective::with(Setting setting, std::size_t parameter, double value) const {
  setting[parameter] = parameters_[parameter].exact_text(value);
  return setting;
}

std::vector<spec::HardwareDocuments> Objective::documents_at(const Setting& setting) const {
  MLOSIM_CHECK(setting.size() == parameters_.size());
  std::vector<spec::HardwareDocuments> machines;
  for (std::size_t m = 0; m < set_.machines.size(); ++m) {
    machines.push_back(set_.machines[m].documents);
    for (std::size_t p = 0; p < parameters_.size(); ++p) {
      if (!holds_[m][p] || setting[p] == parameters_[p].text) continue;
      spec::apply_override(machines[m], {parameters_[p].path, spec::make_scalar(setting[p], parameters_[p].path)});
    }
  }
  return machines;
}

std::vector<spec::Hardware> Objective::machines_at(const Setting& setting) const {
  std::vector<spec::Hardware> machines;
  for (const spec::HardwareDocuments& documents : documents_at(setting)) machines.push_back(decode(documents));
  return machines;
}

std::vector<double> Objective::residuals(const Setting& setting, const std::vector<std::size_t>& subset) const {
  return residuals(setting, subset, fidelity_);
}

std::vector<double> Objective::residuals(const Setting& setting, const std::vector<std::size_t>& subset,
                                         chip::Fidelity fidelity) const {
  const std::vector<spec::Hardware> machines = machines_at(setting);
  std::vector<double> residuals(subset.size());
  tbb::parallel_for(std::size_t(0), subset.size(), [&](std::size_t i) {
    const Row& row = rows_[subset[i]];
    residuals[i] = log_error(row, machines[row.machine], fidelity);
  });
  return residuals;
}

Jacobian Objective::jacobian(const Setting& setting, const std::vector<std::size_t>& free,
                             const std::vector<double>& values, const std::vector<std::size_t>& subset) const {
  Jacobian jacobian(subset.size(), std::vector<double>(free.size(), 0));
  tbb::parallel_for(std::size_t(0), free.size(), [&](std::size_t j) {
    const FreeParameter& p = parameters_[free[j]];
    const double at = p.position_of(values[j]);
    const double above = std::min(at + p.rule.step, p.highest_position());
    const double below = std::max(at - p.rule.step, p.lowest_position());
    std::vector<std::size_t> moved, places;
    for (std::size_t i = 0; i < subset.size(); ++i) {
      const std::size_t row = subset[i];
      if (!moves_[operator_of_row_[row]][free[j]] || !holds_[rows_[row].machine][free[j]]) continue;
      moved.push_back(row);
      places.push_back(i);
    }
    const std::vector<double> high =
        residuals(with(setting, free[j], p.value_at(above)), moved, chip::Fidelity::analytic);
    const std::vector<double> low =
        residuals(with(setting, free[j], p.value_at(below)), moved, chip::Fidelity::analytic);
    for (std::size_t i = 0; i < moved.size(); ++i) jacobian[places[i]][j] = (high[i] - low[i]) / (above - below);
  });
  return jacobian;
}

std::vector<compare::ScoredRow> Objective::scored(const Setting& setting,
                                                  const std::vector<std::size_t>& subset) const {
  const std::vector<spec::Hardware> machines = machines_at(setting);
  std::vector<compare::ScoredRow> scored(subset.size());
  tbb::parallel_for(std::size_t(0), subset.size(), [&](std::size_t i) {
    const Row& row = rows_[subset[i]];
    scored[i] = compare::score_row(*row.measurement, machines[row.machine], {.fidelity = fidelity_});
    scored[i].row = subset[i];
  });
  return scored;
}

}  // namespace mlosim::calibrate
