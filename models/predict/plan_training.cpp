#include "models/predict/plan_training.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "models/plan/training_chunk.hpp"
#include "models/plan/training_memory.hpp"

namespace mlosim::predict {
namespace {

constexpr std::size_t kMostFitting = 3;  // layouts that are named where a run does not fit

double d(std::int64_t n) { return static_cast<double>(n); }

// What each pipeline rank holds, at the most micro-batches that its schedule has in flight.
std::vector<plan::StageShare> shares_of(const graph::TrainingGraph& graph, const plan::ScheduleShape& shape) {
  const std::vector<std::vector<std::uint32_t>> stages = plan::deal_layers(graph, shape.stages());
  const std::vector<std::int64_t> in_flight = plan::peak_in_flight(plan::make_schedule(shape));
  std::map<std::uint32_t, std::size_t> taken;  // layers of each block, from the first stage on
  std::vector<std::vector<std::int64_t>> layers(stages.size());
  for (std::size_t s = 0; s < stages.size(); ++s) {
    for (const std::uint32_t b : stages[s]) {
      if (graph.blocks[b].is_layer()) layers[s].push_back(graph.blocks[b].layers[taken[b]++]);
    }
  }
  std::vector<plan::StageShare> shares;
  for (std::int64_t r = 0; r < shape.pp; ++r) {
    plan::StageShare share;
    share.in_flight = d(in_flight[static_cast<std::size_t>(r)]) / d(shape.chunks());
    for (std::int64_t c = 0; c < shape.chunks(); ++c) {
      const auto s = static_cast<std::size_t>(shape.stage_of(r, c));
      share.layers.insert(share.layers.end(), layers[s].begin(), layers[s].end());
      share.embedding |= s == 0;
      share.head |= s + 1 == stages.size();
    }
    shares.push_back(std::move(share));
  }
  return shares;
}

plan::TrainingMemoryPlan memory_of(const graph::ModelSpec& model, const graph::Precision& precision, const Training& t,
                                   const spec::Hardware& hardware, const spec::TrainingRuntime& stack) {
  const plan::TrainingParallelism& p = t.parallelism;
  const graph::TrainingGraph graph =
      graph::build_training_graph(model, {.micro_batch = t.micro_batch, .sequence = t.sequence, .cp = p.cp}, precision,
                                  graph_options(t, hardware.runtime, stack));
  plan::Parallelism cut;
  cut.tp = p.tp;
  cut.pp = p.pp;
  cut.dp = p.dp;
  cut.cp = p.cp;
  cut.ep = p.ep;
  cut.moe_tp = p.moe_tp;
  cut.sp = p.sp;
  spec::RuntimeSpec runtime = hardware.runtime;
  runtime.reserved_memory = stack.reserved_memory;
  runtime.context_memory = stack.context_memory;
  const plan::TrainingState state{.weights = precision.compute,
                                  .gradients = stack.reduced_gradients,
                                  .moments = t.moments,
                                  .zero = static_cast<int>(p.zero),
                                  .shard = p.shard_ranks(),
                                  .expert_shard = std::max<std::int64_t>(1, p.expert_replicas() / p.shard_copies())};
  return plan::plan_training_memory(model, graph, cut, state, shares_of(graph, p.shape(t.micro_batches())), runtime,
                                    hardware.system.chip.usable_memory);
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
  const std::int64_t stage = p.tp * p.cp * p.dp;
  if (stage % (p.ep * p.moe_tp) != 0 || p.replicas() % p.shard_ranks() != 0) return std::nullopt;
  spec::Decoding decoding;
  plan::check_training(model, p, t.global_batch, t.micro_batch, t.sequence, spec::Node(nullptr, "", &decoding));
  return decoding.diagnostics.empty() ? std::optional(std::move(t)) : std::nullopt;
}

}  // namespace

graph::TrainingOptions graph_options(const Training& training, const spec::RuntimeSpec& runtime,
                                     const spec::TrainingRuntime& stack) {
  return {.fused_attention = stack.fused_attention,
          .dropout = stack.dropout,
          .fuses_residual_norm = runtime.fuses_residual_norm,
          .fuses_gate_activation = runtime.fuses_gate_activation,
          .fuses_cross_entropy = stack.fused_cross_entropy,
          .fuses_quantisation = runtime.fuses_quantisation,
          .weighs_expert_outputs = stack.fuses_elementwise,
          .prunes_recompute = stack.fuses_elementwise,
          .recompute = training.recompute};
}

bool fits_memory(const graph::ModelSpec& model, const graph::Precision& precision, const Training& training,
                 const spec::Hardware& hardware, const spec::TrainingRuntime& stack) {
  return memory_of(model, precision, training, hardware, stack).fits();
}

plan::MemoryPlan plan_memory(const graph::ModelSpec& model, const graph::Precision& precision, const Training& training,
                             const spec::Hardware& hardware, const spec::TrainingRuntime& stack) {
  const plan::TrainingMemoryPlan needed = memory_of(model, precision, training, hardware, stack);
  plan::MemoryPlan memory;
  memory.weights = needed.peak().weights;
  memory.gradients = needed.peak().gradients;
  memory.optimizer = needed.peak().optimizer;
  memory.activations = needed.peak().activations;
  memory.workspace = needed.peak().workspace;
  memory.capacity = needed.capacity;
  if (memory.fits()) return memory;
  const plan::TrainingParallelism& p = training.parallelism;
  const plan::TrainingLayout given{.tp = p.tp,
                                   .pp = p.pp,
                                   .dp = p.dp,
                                   .sp = p.sp,
                                   .micro_batch = training.micro_batch,
                                   .zero = static_cast<int>(p.zero),
                                   .recompute = training.recompute};
  const auto total_of = [&](const plan::TrainingLayout& layout) -> std::optional<Bytes> {
    const std::optional<Training> other = laid_out(model, training, layout);
    if (!other) return std::nullopt;
    return memory_of(model, precision, *other, hardware, stack).peak().total();
  };
  for (const plan::FittingLayout& fitting : plan::nearest_fitting(given, memory.capacity, kMostFitting, total_of))
    memory.fitting.emplace_back(fitting.change, fitting.total);
  return memory;
}

}  // namespace mlosim::predict
