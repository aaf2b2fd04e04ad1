#include "models/predict/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "models/predict/setting.hpp"
#include "sim/spec/spelling.hpp"
#include "sim/units/check.hpp"

namespace mlosim::predict {
namespace {

using Roof = RooflinePosition::Roof;

RooflinePosition locate(const chip::KernelPrice& price, const spec::ChipSpec& chip) {
  const work::OpWork& work = price.work;
  const bool is_matrix = work.matrix > work.vector;
  RooflinePosition r;
  r.bound = price.bounds.largest();
  r.roof = r.bound == price.bounds.memory   ? Roof::memory
           : r.bound == price.bounds.matrix ? Roof::matrix_unit
                                            : Roof::vector_unit;
  r.peak =
      is_matrix ? chip.matrix_rate(work.matrix_dtype, chip.clock).value_or(chip.vector_rate()) : chip.vector_rate();
  r.bandwidth = chip.device_memory().bandwidth;
  const Flops operations = is_matrix ? work.matrix : work.vector;
  if (work.bytes() > Bytes(0)) r.intensity = operations.si() / work.bytes().si();
  r.ridge = r.peak.si() / r.bandwidth.si();
  if (price.time > Seconds(0)) {
    r.achieved = operations / price.time;
    r.transferred = (price.plan.device_read + price.plan.device_written) / price.time;
  }
  return r;
}

// The operators that `wanted` means: by name, or by index.
std::vector<std::size_t> find_ops(const std::vector<report::OpTotal>& ops, const std::string& wanted) {
  std::vector<std::string> names;
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    names.push_back(ops[i].name);
    if (ops[i].name == wanted) found.push_back(i);
  }
  if (!found.empty()) return found;
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), index);
  if (end == wanted.data() + wanted.size() && !wanted.empty()) {
    if (error == std::errc() && index < ops.size()) return {index};
    throw spec::InputError(fmt::format("the workload has no operator {}", wanted),
                           fmt::format("they are counted from 0 to {}", ops.size() - 1));
  }
  throw spec::InputError(fmt::format("no operator is called '{}'", wanted), spec::spelling_hint(wanted, names));
}

class Explainer {
 public:
  Explainer(const Prediction& prediction, const spec::Hardware& hardware, const ExplainOptions& options)
      : ops_(prediction.evaluation.total.ops),
        whole_(prediction.evaluation.total.makespan),
        hardware_(hardware),
        options_(options) {}

  std::vector<OperatorFacts> run() {
    std::vector<std::size_t> wanted(ops_.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = i;
    if (options_.op) wanted = find_ops(ops_, *options_.op);
    for (const std::size_t i : wanted) add(i);
    for (OperatorFacts& facts : list_) close(facts);
    std::stable_sort(list_.begin(), list_.end(),
                     [](const OperatorFacts& a, const OperatorFacts& b) { return a.total > b.total; });
    return std::move(list_);
  }

 private:
  // Equal operators under equal conditions are one: those of a prefill may draw less power than those of a decode step.
  void add(std::size_t index) {
    const report::OpTotal& op = ops_[index];
    const auto [known, is_new] = places_.try_emplace({op.op, op.pricing.sustained}, list_.size());
    if (is_new) {
      OperatorFacts facts;
      facts.op = op.op;
      facts.bound = op.bound;
      facts.bound_by = op.bound_by;
      facts.detail = op.detail;
      list_.push_back(std::move(facts));
    }
    OperatorFacts& facts = list_[known->second];
    facts.names.push_back(op.name);
    facts.indices.push_back(index);
    facts.count += op.count;
    facts.total += op.time;
  }

  void close(OperatorFacts& facts) const {
    facts.each = facts.count > 0 ? facts.total / facts.count : Seconds(0);
    facts.share = whole_ > Seconds(0) ? facts.total / whole_ : 0;
    const report::OpTotal& op = ops_[facts.indices.front()];
    if (!op.kernel) return;
    KernelFacts kernel;
    kernel.price = *op.kernel;
    kernel.roofline = locate(*op.kernel, hardware_.system.chip);
    kernel.around = facts.each - kernel.price.time;
    kernel.plans = chip::best_plans(op.op,
                                    {.chip = hardware_.system.chip,
                                     .runtime = hardware_.runtime,
                                     .operands = op.pricing.operands,
                                     .sustained = op.pricing.sustained},
                                    options_.runners_up + 1);
    facts.kernel = std::move(kernel);
  }

  const std::vector<report::OpTotal>& ops_;
  Seconds whole_;
  const spec::Hardware& hardware_;
  const ExplainOptions& options_;
  std::map<std::pair<work::Operator, bool>, std::size_t> places_;  // in list_
  std::vector<OperatorFacts> list_;
};

KernelTime add_up(const std::vector<OperatorFacts>& operators) {
  KernelTime sum;
  for (const OperatorFacts& facts : operators) {
    if (!facts.kernel) continue;
    const chip::KernelPrice& price = facts.kernel->price;
    if (price.events == 0) {
      sum.closed_form += facts.count * price.time;
      continue;
    }
    const auto add = [&](Seconds& total, Seconds one) { total += facts.count * one; };
    add(sum.played.launch, price.causes.launch);
    add(sum.played.fill, price.causes.fill);
    add(sum.played.compute, price.causes.compute);
    add(sum.played.load, price.causes.load);
    add(sum.played.latency, price.causes.latency);
    add(sum.played.store, price.causes.store);
    add(sum.played.tail, price.causes.tail);
    add(sum.played.power, price.causes.power);
    add(sum.played.other_kernels, price.causes.other_kernels);
  }
  return sum;
}

std::vector<StageFacts> add_up(const std::vector<report::TraceWriter::RankSlice>& slices) {
  std::vector<StageFacts> stages;
  event::Time last;
  for (const auto& slice : slices) last = std::max(last, slice.end);
  for (const auto& slice : slices) {
    while (stages.size() <= slice.rank)
      stages.push_back({.rank = static_cast<std::uint32_t>(stages.size()), .by_pass = {}, .busy = {}, .idle = {}});
    const Seconds time = event::to_seconds(slice.end - slice.start);
    stages[slice.rank].by_pass[slice.category] += time;
    stages[slice.rank].busy += time;
  }
  for (StageFacts& stage : stages)
    stage.idle = std::max(Seconds(0), event::to_seconds(last - event::Time()) - stage.busy);
  return stages;
}

}  // namespace

std::string_view name_of(RooflinePosition::Roof roof) {
  switch (roof) {
    case Roof::matrix_unit:
      return "matrix_unit";
    case Roof::vector_unit:
      return "vector_unit";
    case Roof::memory:
      return "memory";
  }
  MLOSIM_CHECK(false);
}

Explanation explain(const spec::Library& library, const std::string& name, const ExplainOptions& options) {
  std::vector<std::string> warnings;
  const Workload workload = read_workload(library, name, options.predict.workload, warnings);
  const Setting setting = read_setting(library, workload, warnings);
  Explanation e;
  PredictOptions predict_options = options.predict;
  report::TraceWriter trace;  // tells what the ranks of a pipeline did
  if (workload.training && !predict_options.trace) predict_options.trace = &trace;
  e.prediction = predict(library, workload, setting, predict_options);
  if (predict_options.trace) e.stages = add_up(predict_options.trace->ranks());
  e.prediction.warnings.insert(e.prediction.warnings.begin(), warnings.begin(), warnings.end());
  e.operators = Explainer(e.prediction, setting.hardware, options).run();
  e.kernels = add_up(e.operators);
  e.roofline = build_roofline_chart(workload.name + " on " + setting.hardware.system.chip.name, e.operators,
                                    setting.hardware.system.chip);
  if (!options.op) e.what_if = ask_what_if(workload, setting, options.predict.fidelity, read_uncertainty(library));
  return e;
}

}  // namespace mlosim::predict
