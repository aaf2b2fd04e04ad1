#include "models/predict/predict.hpp"

#include <fmt/format.h>

#include "models/predict/evaluate_training.hpp"
#include "models/predict/figures.hpp"
#include "models/predict/sensitivity.hpp"
#include "models/predict/setting.hpp"

namespace mlosim::predict {
namespace {

void warn_of_missing_cost(Prediction& p, const std::optional<spec::CostBasis>& basis) {
  if (!basis || p.economics.bill) return;
  const bool is_rent = *basis == spec::CostBasis::rent;
  p.warnings.push_back(fmt::format("there is no cost: what {} {} is not known; write economics.{}", p.chip,
                                   is_rent ? "is let for" : "is sold for", is_rent ? "price" : "capital"));
}

}  // namespace

CostTables read_cost_tables(const spec::Library& library) {
  return {.economics = read_economics(library), .silicon = read_silicon(library)};
}

TimeOf closed_form_of(const Workload& workload, const Setting& setting, chip::Fidelity fidelity) {
  if (fidelity == chip::Fidelity::event) fidelity = chip::Fidelity::analytic;
  return [&workload, &setting, fidelity](spec::Hardware changed) {
    changed.runtime = resolve_runtime(changed.runtime, workload.runtime);
    return evaluate(workload, setting.precision, changed, {.fidelity = fidelity, .lists_operators = false})
        .total.makespan;
  };
}

Prediction predict(const spec::Library& library, const std::string& name, const PredictOptions& options) {
  std::vector<std::string> warnings;
  Prediction p = predict(library, read_workload(library, name, options.workload, warnings), options);
  p.warnings.insert(p.warnings.begin(), warnings.begin(), warnings.end());
  return p;
}

Prediction predict(const spec::Library& library, const Workload& workload, const PredictOptions& options) {
  std::vector<std::string> warnings;
  const Setting setting = read_setting(library, workload, warnings);
  Prediction p = predict(library, workload, setting, options);
  p.warnings.insert(p.warnings.begin(), warnings.begin(), warnings.end());
  return p;
}

Prediction predict(const spec::Library& library, const Workload& workload, const Setting& setting,
                   const PredictOptions& options) {
  Prediction p;
  const spec::Hardware& hardware = setting.hardware;
  const graph::Precision& precision = setting.precision;

  p.workload = workload.name;
  p.system = hardware.system.name;
  p.chip = hardware.system.chip.name;
  p.runtime = hardware.runtime.name;
  p.task = workload.task;
  p.precision = precision;
  p.fidelity = options.fidelity;
  p.max_events = options.max_events;
  p.evaluation = evaluate(workload, precision, hardware,
                          {.fidelity = options.fidelity, .max_events = options.max_events, .trace = options.trace});
  if (workload.training && !p.evaluation.memory->fits())
    p.evaluation.memory->fitting = layouts_that_fit(workload, precision, hardware);
  p.interval = options.residuals ? workload_interval(*options.residuals, p.evaluation, p.task, hardware)
                                 : workload_interval(read_residuals(library), p.evaluation, p.task, hardware);
  const spec::SystemSpec& system = hardware.system;
  const CostTables tables = options.costs ? *options.costs : read_cost_tables(library);
  const spec::EconomicsChoice economics = workload.economics.over(system.economics.over(tables.economics));
  fill_figures(p, system, economics);
  warn_of_missing_cost(p, economics.basis);
  if (tables.silicon) p.silicon = estimate_silicon(system.chip, *tables.silicon);
  if (!options.sensitivities) return p;
  const TimeOf time_of = closed_form_of(workload, setting, options.fidelity);
  const bool is_base = options.fidelity != chip::Fidelity::event;
  const Seconds base = is_base ? p.evaluation.total.makespan : time_of(hardware);
  Sensitivity sensitivity(setting.documents, hardware, base, time_of);
  p.bottlenecks = sensitivity.find_bottlenecks(p.evaluation.total);
  p.assumptions = sensitivity.find_assumptions();
  return p;
}

}  // namespace mlosim::predict
