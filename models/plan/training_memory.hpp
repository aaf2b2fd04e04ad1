// Bytes that one chip must hold for training, pipeline stage by stage, and what would fit where they do not.
//
//   weights     2 B (or the format's) a parameter of the stage, cut over tp (experts over ep and moe_tp); ZeRO-3 over
//               the shard as well, with the largest block gathered twice (in use and prefetched)
//   gradients   in `gradients`' format; sharded from ZeRO-2 on, with the largest block whole until it is reduced
//               Beside a pipeline both are whole all the same (TrainingParallelism::reduces_in_layers).
//   optimiser   Adam's two moments, and a master copy where weights are narrower than fp32; sharded from ZeRO-1 on
//   activations kept tensors of the stage's layers times the micro-batches in flight at its schedule's peak, embedding
//               and head with theirs, what one layer recomputes; where weight gradients are put off, what they need of
//               it in all layers until they run
// Source of the activations' account: Korthikanti et al., arXiv:2205.05198, §4 and appendix B.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/graph/training_graph.hpp"
#include "models/plan/memory.hpp"
#include "models/plan/training_parallelism.hpp"
#include "models/plan/training_states.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::plan {

// Formats of the training states.
struct TrainingState {
  work::DType weights = work::DType::bf16;    // that the products read
  work::DType gradients = work::DType::fp32;  // as they are accumulated
  work::DType moments = work::DType::fp32;
  Optimizer optimizer = Optimizer::adam;

  // That the optimiser keeps of a parameter: Adam's two moments, and a master copy in fp32 where weights are narrower.
  Bytes optimizer_bytes() const;
};

// What one layer of a block, or an end of the network, adds to a rank's memory, before data-parallel ranks share
// anything out. Norms and latent projections, which tensor parallelism does not cut, are counted as if they were: under
// 1 %.
struct BlockMemory {
  double dense = 0, experts = 0;  // parameters
  Bytes kept{}, offloaded{};      // of one micro-batch
  Bytes recomputed{};             // while its backward runs
  Bytes put_off{};                // of those, what weight gradients need: until they run
  Bytes widest{};                 // tensor
};
BlockMemory memory_of(const graph::TrainingBlock& block, const TrainingParallelism& p);

// What one pipeline rank holds, over all its chunks.
struct StageShare {
  std::vector<std::int64_t> counts;  // layers of each block of the graph; of the ends 0 or 1
  // Micro-batches, as multiples of all its layers, at most: whose activations it keeps at once, and whose weight
  // gradients are put off (zero_bubble, dualpipe).
  double in_flight = 1, put_off = 0;

  // `chunks`: of a rank, each 1 / chunks of its layers.
  void hold(const InFlight& most, std::int64_t chunks);
};
std::vector<StageShare> shares_of(const graph::TrainingGraph& graph, const ScheduleShape& shape);

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

// What does not change from stage to stage.
struct StageSetting {
  TrainingState state{};
  double tied_table = 0;  // parameters of the embedding that the last stage has a copy of; 0: of none
  Bytes context{};        // libraries and workspaces
};

// `blocks`: memory_of each of the graph's.
StageMemory stage_memory(std::span<const BlockMemory> blocks, const StageShare& share, const TrainingParallelism& p,
                         const StageSetting& setting);

// Of all pipeline ranks. `capacity`: that the stack may use of the chip.
TrainingMemoryPlan plan_training_memory(std::span<const BlockMemory> blocks, std::span<const StageShare> stages,
                                        const TrainingParallelism& p, const StageSetting& setting, Bytes capacity);

// The same as the memory plan of any workload.
MemoryPlan memory_plan(const StageMemory& peak, Bytes capacity);

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
