#include "models/predict/predict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "models/predict/sensitivity.hpp"
#include "models/predict/setting.hpp"

namespace mlosim::predict {
namespace {

// The key under which a chip states the uncertainty of an operator.
std::string uncertainty_key(const work::Operator& op, const spec::Uncertainty& known) {
  if (std::holds_alternative<work::Collective>(op)) return "collective";
  const std::string name(work::name_of(op));
  if (known.contains(name)) return name;
  return std::holds_alternative<work::Elementwise>(op) ? "elementwise" : "default";
}

// Errors of operators of one kind go together, those of different kinds are independent: half-widths add within a kind
// and as squares across kinds. What no operator accounts for (host time) has the default's. A whole network adds what
// its software does beside the operators, independently of them.
Interval interval_of(const Evaluation& e, Task task, const spec::Uncertainty& uncertainty) {
  std::map<std::string, Seconds> by_kind;
  Seconds known;
  for (const report::OpTotal& op : e.total.ops) {
    by_kind[uncertainty_key(op.op, uncertainty)] += op.time;
    known += op.time;
  }
  by_kind["default"] += std::max(Seconds(0), e.total.makespan - known);
  double squares = 0;
  Seconds bound;
  for (const auto& [kind, time] : by_kind) {
    const auto own = uncertainty.find(kind);
    squares += std::pow((own != uncertainty.end() ? own->second : uncertainty.at("default")) * time.si(), 2);
  }
  if (task != Task::ops) squares += std::pow(uncertainty.at("workload") * e.total.makespan.si(), 2);
  for (const report::OpTotal& op : e.total.ops) bound += op.bound * op.count;
  const double relative = std::sqrt(squares) / std::max(e.total.makespan.si(), 1e-30);
  // A factor on both sides: errors of times are symmetric in the logarithm.
  return {std::min(e.total.makespan, std::max(e.total.makespan / (1 + relative), bound)),
          e.total.makespan * (1 + relative)};
}

void fill_rates(Prediction& p, const spec::ChipSpec& chip) {
  const Evaluation& e = p.evaluation;
  const Seconds time = e.total.makespan;
  const double chips = static_cast<double>(e.chips);
  if (e.tokens > 0) {
    p.tokens_per_s = e.tokens / time.si();
    p.tokens_per_s_per_chip = *p.tokens_per_s / chips;
  }
  p.achieved_flops_per_chip = e.model_flops / time / chips;
  p.mfu = e.peak_time / time;
  p.energy = e.total.energy * chips;
  p.power_per_chip = e.total.energy / time;
  if (chip.price) p.cost = *chip.price * time * chips;
}

}  // namespace

Prediction predict(const spec::Library& library, const std::string& name, const PredictOptions& options) {
  std::vector<std::string> warnings;
  Prediction p = predict(library, read_workload(library, name, options.workload, warnings), options);
  p.warnings.insert(p.warnings.begin(), warnings.begin(), warnings.end());
  return p;
}

Prediction predict(const spec::Library& library, const Workload& workload, const PredictOptions& options) {
  Prediction p;
  const Setting setting = read_setting(library, workload, p.warnings);
  const spec::Hardware& hardware = setting.hardware;
  const graph::Precision& precision = setting.precision;

  p.workload = workload.name;
  p.system = hardware.system.name;
  p.chip = hardware.system.chip.name;
  p.runtime = hardware.runtime.name;
  p.task = workload.task;
  p.precision = precision;
  p.fidelity = options.fidelity;
  p.evaluation = evaluate(workload, precision, hardware, options.fidelity, options.trace);
  p.interval = interval_of(p.evaluation, p.task, hardware.system.chip.uncertainty);
  fill_rates(p, hardware.system.chip);
  if (!options.sensitivities) return p;
  const TimeOf time_of = [&](const spec::Hardware& other) {
    spec::Hardware changed = other;
    changed.runtime = resolve_runtime(changed.runtime, workload.runtime);
    return evaluate(workload, precision, changed, options.fidelity, nullptr).total.makespan;
  };
  Sensitivity sensitivity(setting.documents, hardware, p.evaluation.total.makespan, time_of);
  p.bottlenecks = sensitivity.find_bottlenecks(p.evaluation.total);
  p.assumptions = sensitivity.find_assumptions();
  return p;
}

}  // namespace mlosim::predict
