#include "models/plan/step_end.hpp"

#include <string>
#include <utility>

namespace mlosim::plan {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

// The ranks of the first and the last stage hold the same table: they add their gradients.
work::Collective tied_embedding_reduction(double table, const TrainingParallelism& p, work::DType gradients) {
  return {.kind = work::CollectiveKind::all_reduce,
          .bytes = table / d(p.tp) * work::bytes_per_element(gradients),
          .ranks = 2,
          .dtype = gradients,
          .stride = p.pp_stride() * (p.pp - 1)};
}

}  // namespace

bool gathers_at_start(const TrainingParallelism& p, const spec::TrainingRuntime& runtime) {
  return p.zero != ZeroStage::none && runtime.overlaps_param_gather && !p.gathers_in_layers();
}

machine::Program plan_step_end(const StepEnd& end, const TrainingParallelism& p, const spec::TrainingRuntime& runtime) {
  machine::Program program;
  program.streams = {{"compute", machine::StreamKind::compute}, {"data parallel", machine::StreamKind::communication}};
  program.launch = spec::LaunchPath::graph;
  program.lead_time = runtime.step_overhead;
  const auto append = [&](const std::string& name, work::Operator op, std::uint32_t stream) {
    std::vector<std::uint32_t> after;
    if (!program.tasks.empty()) after.push_back(static_cast<std::uint32_t>(program.tasks.size() - 1));
    program.tasks.push_back({.op = static_cast<std::uint32_t>(program.ops.size()), .stream = stream, .after = after});
    program.ops.push_back({name, std::move(op)});
  };
  if (!p.reduces_in_layers() && !runtime.overlaps_grad_reduce) {
    for (const work::Collective& op : gradient_reductions(end.own, p, runtime.reduced_gradients))
      append("gradients.reduce", op, 1);
  }
  for (const work::Collective& op : copy_sums(end.own, p, runtime.reduced_gradients))
    append("gradients.reduce_copies", op, 1);
  for (const work::Collective& op : repeated_gradient_sums(end.own, p, runtime.reduced_gradients))
    append("gradients.reduce_repeated", op, 1);
  if (end.tied_table > 0 && !p.shape(1).joins_ends()) {
    append("embedding.gradients.reduce", tied_embedding_reduction(end.tied_table, p, runtime.reduced_gradients), 1);
  }
  for (const work::Elementwise& op : optimizer_passes(end.own, p, end.weights, end.optimizer, end.moments))
    append("optimizer", op, 0);
  if (!p.gathers_in_layers() && p.zero != ZeroStage::none && !gathers_at_start(p, runtime)) {
    for (const work::Collective& op : parameter_gathers(end.own, p, end.weights)) append("parameters.gather", op, 1);
  }
  return program;
}

}  // namespace mlosim::plan
