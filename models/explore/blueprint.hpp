// A study with everything that it refers to looked up and checked: documents read, paths found, expressions compiled.
// All that is wrong with a study is found here, before the first point is evaluated.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "models/explore/expression.hpp"
#include "models/explore/metric.hpp"
#include "models/explore/study.hpp"
#include "models/predict/residuals.hpp"
#include "models/predict/workload.hpp"
#include "sim/spec/hardware.hpp"
#include "sim/spec/library.hpp"

namespace mlosim::explore {

// A workload as it is before an axis changes it.
struct BaseWorkload {
  std::string name;
  double weight = 1;
  spec::Value document;  // with the study's overrides, and its model in place of the model's name
  spec::Value settled;   // the same with those overrides laid over it and the model: what its numbers are
  predict::Workload decoded;
  spec::HardwareDocuments hardware;
  std::vector<bool> takes_axis, takes_derived;  // which of the study's axes and derived paths are laid over it
  // Why a stack of an axis does not run on a system, by both their names.
  std::map<std::pair<std::string, std::string>, std::string> refused_stacks;
};

struct BoundDerived {
  std::string name;  // as the study has it
  std::string path;
  Expression expression;
};

struct BoundObjective {
  std::string name;
  spec::Place place{};
  Expression expression;
  bool maximises = false;
};

struct BoundConstraint {
  std::string text;
  spec::Place place{};
  Comparison comparison;
  bool takes_metrics = false;  // otherwise it is decided before a point is evaluated
};

// Which numbers expressions take: [axes | derived | metrics of one workload | metrics of all, workload by workload].
struct SlotLayout {
  std::vector<std::size_t> axis;  // the first slot of each axis, which has one for each of its paths
  std::size_t axes = 0, derived = 0, workloads = 0;

  std::size_t own_metrics() const { return axes + derived; }
  std::size_t metrics_of(std::size_t workload) const { return own_metrics() + (workload + 1) * metrics().size(); }
  std::size_t size() const { return metrics_of(workloads); }
};

struct Blueprint {
  Blueprint(const spec::Library& where, Study what, predict::Residuals measured)
      : library(&where),
        study(std::move(what)),
        residuals(std::move(measured)),
        costs(predict::read_cost_tables(where)) {}

  const spec::Library* library;
  Study study;  // with the axes of layouts (best_parallelism); those of the machine first, of the layout last
  std::size_t layout_axes = 0;    // the last so many are of a training layout
  std::size_t searched_axes = 0;  // the last so many of the axes are those of best_parallelism
  std::vector<BaseWorkload> workloads;
  std::vector<BoundDerived> derived;
  std::vector<BoundConstraint> constraints;
  std::vector<BoundObjective> objectives;
  SlotLayout slots;
  predict::Residuals residuals;
  predict::CostTables costs;
  std::string fingerprint;  // of everything that the result depends on
};

// Throws spec::InputError with every mistake; `library` outlives the blueprint. Warnings are appended.
Blueprint draw_blueprint(const spec::Library& library, Study study, std::vector<std::string>& warnings);

}  // namespace mlosim::explore
