// Bytes that one chip must hold for training, pipeline stage by stage, and what would fit where they do not.
//
//   weights     2 B (or the format's) a parameter of the stage, cut over tp (experts over ep and moe_tp); ZeRO-3 over
//               the shard as well, with the largest block gathered twice (in use and prefetched)
//   gradients   in `gradients`' format; sharded from ZeRO-2 on
//   optimiser   Adam's two moments, and a master copy where weights are narrower than fp32; sharded from ZeRO-1 on
//   activations kept tensors of the stage's layers times the micro-batches in flight at its schedule's peak, embedding
//               and head with theirs, what one layer recomputes
// Source of the activations' account: Korthikanti et al., arXiv:2205.05198, §4 and appendix B.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/graph/training_graph.hpp"
#include "models/plan/parallelism.hpp"
#include "sim/spec/runtime_spec.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::plan {

// What training states need, and over how many ranks they are spread.
struct TrainingState {
  work::DType weights = work::DType::bf16;    // that the products read
  work::DType gradients = work::DType::fp32;  // as they are accumulated
  work::DType moments = work::DType::fp32;
  bool master_weights = true;     // in fp32 beside `weights`
  int zero = 0;                   // ZeRO stage; Megatron's distributed optimiser is 1, FSDP and HSDP are 3
  std::int64_t shard = 1;         // ranks that a dense parameter's states are spread over: dp·cp, or hsdp_shard
  std::int64_t expert_shard = 1;  // the same of an expert's: dp·cp·tp / (ep·moe_tp)
};

// What one pipeline rank holds.
struct StageShare {
  std::vector<std::int64_t> layers;  // of all its chunks
  bool embedding = false, head = false;
  double in_flight = 1;  // micro-batches whose activations it keeps at once, at most, as a multiple of all its layers
};

// Layers dealt out evenly over pp·virtual_stages chunks, with the peak of 1F1B: rank i keeps min(m, pp − i)
// micro-batches; interleaved 1F1B min(m·v, pp·v + pp − 1 − 2i)/v of them: pp·(1 + (pp − 1)/(pp·v)) on the first.
std::vector<StageShare> stages_of_1f1b(std::int64_t layers, std::int64_t pp, std::int64_t virtual_stages,
                                       std::int64_t micro_batches);

struct StageMemory {
  Bytes weights, gradients, optimizer, activations, workspace;

  Bytes total() const { return weights + gradients + optimizer + activations + workspace; }
};

struct TrainingMemoryPlan {
  std::vector<StageMemory> stages;  // of each pipeline rank
  std::size_t worst = 0;            // the one that needs most
  Bytes capacity;                   // that the stack may use of the chip

  const StageMemory& peak() const { return stages.at(worst); }
  bool fits() const { return peak().total() <= capacity; }
  Bytes missing() const { return fits() ? Bytes(0) : peak().total() - capacity; }
};

// `graph` is built for one rank's micro-batch. `usable` is the chip's memory.
TrainingMemoryPlan plan_training_memory(const graph::ModelSpec& model, const graph::TrainingGraph& graph,
                                        const Parallelism& parallelism, const TrainingState& state,
                                        const std::vector<StageShare>& stages, const spec::RuntimeSpec& runtime,
                                        Bytes usable);

// One way to run a training step, as far as its memory goes.
struct TrainingLayout {
  std::int64_t tp = 1, pp = 1, dp = 1;  // of as many chips as before
  bool sp = false;
  std::int64_t micro_batch = 1;
  int zero = 0;
  graph::Recompute recompute;
};

struct FittingLayout {
  TrainingLayout layout;
  std::string change;  // "recompute: full", "tp: 8, sp: true": what is different
  Bytes total;         // of the worst stage
};

// Layouts near `given` that fit, those that change least and cost least time first, at most `count`. `total_of` says
// what the worst stage of a layout needs, or nothing where the layout cannot be (heads, layers, batch do not divide).
std::vector<FittingLayout> nearest_fitting(const TrainingLayout& given, Bytes capacity, std::size_t count,
                                           const std::function<std::optional<Bytes>(const TrainingLayout&)>& total_of);

}  // namespace mlosim::plan
