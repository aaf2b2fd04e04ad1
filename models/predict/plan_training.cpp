#include "models/predict/plan_training.hpp"

#include <algorithm>

#include "sim/units/check.hpp"

namespace mlosim::predict {
namespace {

constexpr std::size_t kMostFitting = 3;  // layouts that are named where a run does not fit

double d(std::int64_t n) { return static_cast<double>(n); }

// The backward pass of attention computes its scores again: that is the hardware's work, not the model's.
Flops model_flops_of(const work::Operator& op) {
  const auto twice_forward = [](auto attention) {
    attention.backward = false;
    return 2 * work::work_of(attention).matrix;
  };
  if (const auto* flash = std::get_if<work::AttentionPrefill>(&op); flash && flash->backward)
    return twice_forward(*flash);
  if (const auto* latent = std::get_if<work::MlaPrefill>(&op); latent && latent->backward)
    return twice_forward(*latent);
  return work::work_of(op).matrix;
}

plan::TrainingMemoryPlan memory_of(const TrainingSubject& subject, const graph::TrainingGraph& graph,
                                   const Training& training, const spec::TrainingRuntime& runtime) {
  const plan::TrainingParallelism& p = training.parallelism;
  std::vector<plan::BlockMemory> blocks;
  for (const graph::TrainingBlock& block : graph.blocks) blocks.push_back(plan::memory_of(block, p));
  return plan::plan_training_memory(blocks, plan::shares_of(graph, p.shape(training.micro_batches())), p,
                                    stage_setting(subject, training, runtime),
                                    training_capacity(subject.hardware.system.chip, runtime));
}

// The same run laid out otherwise; empty where that cannot be.
std::optional<Training> laid_out(const graph::ModelSpec& model, Training t, const plan::TrainingLayout& layout) {
  plan::TrainingParallelism& p = t.parallelism;
  p.tp = layout.tp;
  p.pp = layout.pp;
  p.dp = layout.dp;
  p.sp = layout.sp;
  p.zero = static_cast<plan::ZeroStage>(layout.zero);
  t.micro_batch = layout.micro_batch;
  t.recompute = layout.recompute;
  if (!plan::can_train(model, p, t.global_batch, t.micro_batch, t.sequence)) return std::nullopt;
  return t;
}

}  // namespace

spec::TrainingRuntime resolve_training_runtime(const TrainingSubject& subject, const Training& training) {
  MLOSIM_CHECK(subject.hardware.runtime.training.has_value());  // chosen so (read_setting)
  spec::TrainingRuntime r = *subject.hardware.runtime.training;
  r.overlaps_grad_reduce = training.overlap.grad_reduce.value_or(r.overlaps_grad_reduce);
  r.overlaps_param_gather = training.overlap.param_gather.value_or(r.overlaps_param_gather);
  if (training.overlap.tp && !*training.overlap.tp) r.tp_exposed = r.regather_exposed = 1;
  r.reduced_gradients = subject.gradients.value_or(r.reduced_gradients);
  return r;
}

spec::LaunchSpec training_launch(const spec::ChipSpec& chip, const spec::TrainingRuntime& runtime) {
  spec::LaunchSpec launch = chip.launch;
  launch.submit = runtime.submit;
  launch.stream = std::max(launch.stream, launch.graph);
  return launch;
}

graph::TrainingGraph training_graph(const TrainingSubject& subject, const Training& training,
                                    const spec::TrainingRuntime& runtime) {
  const spec::RuntimeSpec& stack = subject.hardware.runtime;
  return graph::build_training_graph(
      subject.model,
      {.micro_batch = training.micro_batch, .sequence = training.sequence, .cp = training.parallelism.cp},
      subject.precision,
      {.fused_attention = stack.fused_attention,
       .dropout = runtime.dropout,
       .fuses_residual_norm = stack.fuses_residual_norm,
       .fuses_gate_activation = stack.fuses_gate_activation,
       .fuses_cross_entropy = runtime.fused_cross_entropy,
       .fuses_quantisation = stack.fuses_quantisation,
       .weighs_expert_outputs = runtime.fuses_elementwise,
       .prunes_recompute = runtime.fuses_elementwise,
       .recompute = training.recompute});
}

machine::Program chunk_program(const TrainingSubject& subject, const graph::TrainingGraph& graph,
                               const plan::ChunkShape& chunk, const Training& training,
                               const spec::TrainingRuntime& runtime) {
  machine::Program program = plan::plan_training_chunk(graph, chunk, training.parallelism, subject.precision, runtime,
                                                       subject.hardware.system.fabric.chips);
  program.launch = runtime.host == spec::TrainingHost::ahead ? spec::LaunchPath::eager : spec::LaunchPath::graph;
  program.host_in_step = runtime.host == spec::TrainingHost::in_step;
  return program;
}

bool parts_gradients(const plan::TrainingParallelism& p) {
  return p.schedule == plan::ScheduleKind::zero_bubble || p.schedule == plan::ScheduleKind::dualpipe;
}

machine::Program step_end_program(const TrainingSubject& subject, const plan::Parameters& own, const Training& training,
                                  const spec::TrainingRuntime& runtime) {
  const graph::ModelSpec& model = subject.model;
  return plan::plan_step_end({.own = own,
                              .weights = subject.precision.compute,
                              .moments = training.moments,
                              .optimizer = training.optimizer,
                              .tied_table = model.tied_embeddings ? d(model.vocab) * d(model.hidden) : 0},
                             training.parallelism, runtime);
}

std::vector<work::Collective> stage_messages(const TrainingSubject& subject, const Training& training) {
  const graph::TrainingShape shape{
      .micro_batch = training.micro_batch, .sequence = training.sequence, .cp = training.parallelism.cp};
  return plan::boundary_messages(subject.model, shape, training.parallelism, subject.precision.compute,
                                 subject.hardware.runtime.training->scatters_messages);
}

Seconds offload_wait(Bytes offloaded, Seconds pass, const spec::ChipSpec& chip) {
  if (offloaded <= Bytes(0)) return Seconds(0);
  return std::max(Seconds(0), offloaded / chip.host_link - pass);
}

TrainingFlops count_flops(const graph::TrainingGraph& graph) {
  TrainingFlops flops;
  for (const graph::TrainingBlock& block : graph.blocks) {
    const double layers = block.is_layer() ? d(static_cast<std::int64_t>(block.layers.size())) : 1;
    for (const auto* nodes : {&block.forward, &block.backward}) {
      for (const graph::TrainingNode& node : *nodes) {
        flops.hardware += layers * work::work_of(node.node.op).matrix;
        if (node.pass != graph::Pass::recompute) flops.model += layers * model_flops_of(node.node.op);
      }
    }
  }
  return flops;
}

double micro_batches_of_step(const Training& training) {
  return d(training.global_batch) / d(training.micro_batch) * d(training.parallelism.cp);
}

plan::StageSetting stage_setting(const TrainingSubject& subject, const Training& training,
                                 const spec::TrainingRuntime& runtime) {
  const graph::ModelSpec& model = subject.model;
  return {.state = {.weights = subject.precision.compute,
                    .gradients = runtime.reduced_gradients,
                    .moments = training.moments,
                    .optimizer = training.optimizer},
          .tied_table = model.tied_embeddings ? d(model.vocab) * d(model.hidden) : 0,
          .context = runtime.context_memory};
}

Bytes training_capacity(const spec::ChipSpec& chip, const spec::TrainingRuntime& runtime) {
  return chip.usable_memory * (1 - runtime.reserved_memory);
}

plan::MemoryPlan plan_memory(const TrainingSubject& subject, const graph::TrainingGraph& graph,
                             const Training& training, const spec::TrainingRuntime& runtime) {
  const plan::TrainingMemoryPlan needed = memory_of(subject, graph, training, runtime);
  return plan::memory_plan(needed.peak(), needed.capacity);
}

std::vector<plan::FittingLayout> fitting_layouts(const TrainingSubject& subject, const Training& training) {
  const plan::TrainingParallelism& p = training.parallelism;
  const plan::TrainingLayout given{.tp = p.tp,
                                   .pp = p.pp,
                                   .dp = p.dp,
                                   .sp = p.sp,
                                   .micro_batch = training.micro_batch,
                                   .zero = static_cast<int>(p.zero),
                                   .recompute = training.recompute};
  const spec::TrainingRuntime runtime = resolve_training_runtime(subject, training);
  const auto total_of = [&](const plan::TrainingLayout& layout) -> std::optional<Bytes> {
    const std::optional<Training> other = laid_out(subject.model, training, layout);
    if (!other) return std::nullopt;
    return memory_of(subject, training_graph(subject, *other, runtime), *other, runtime).peak().total();
  };
  return plan::nearest_fitting(given, training_capacity(subject.hardware.system.chip, runtime), kMostFitting, total_of);
}

}  // namespace mlosim::predict
