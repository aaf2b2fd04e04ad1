#include "models/plan/training_memory.hpp"

#include <algorithm>

#include "models/plan/stage_layers.hpp"
#include "sim/units/check.hpp"

namespace mlosim::plan {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

constexpr double kGathered = 2;   // blocks of ZeRO-3 that are whole at once: the one in use and the next
constexpr double kInTransit = 2;  // layers whose offloaded tensors are on the chip at once: one leaves, one arrives

// Parameters of one rank before any sharding over data-parallel ranks.
struct Held {
  double dense = 0, experts = 0;
  double largest = 0;  // block, of those that ZeRO-3 gathers

  double total() const { return dense + experts; }
};

void add_states(const Held& held, const TrainingParallelism& p, const TrainingState& state, StageMemory& memory) {
  const Bytes weight = work::bytes_per_element(state.weights), gradient = work::bytes_per_element(state.gradients);
  const double shared = held.dense / d(p.shard_ranks()) + held.experts / d(p.expert_shard_ranks());
  const auto parameters_of = [&](bool shares) { return shares ? shared : held.total(); };
  memory.weights = parameters_of(p.gathers_in_layers()) * weight;
  memory.gradients = parameters_of(p.reduces_in_layers()) * gradient;
  memory.optimizer = parameters_of(p.zero != ZeroStage::none) * state.optimizer_bytes();
  // A block's gradients are whole until they are reduced, its weights while they are used.
  if (p.reduces_in_layers()) memory.gradients += held.largest * gradient;
  if (p.gathers_in_layers()) memory.weights += kGathered * held.largest * weight;
}

}  // namespace

Bytes TrainingState::optimizer_bytes() const {
  const Bytes wide = work::bytes_per_element(work::DType::fp32);
  const Bytes kept = optimizer == Optimizer::adam ? 2 * work::bytes_per_element(moments) : Bytes(0);
  return kept + (work::bytes_per_element(weights) < wide ? wide : Bytes(0));
}

BlockMemory memory_of(const graph::TrainingBlock& block, const TrainingParallelism& p) {
  BlockMemory memory{.dense = block.parameters / d(p.tp), .experts = block.expert_parameters / d(p.ep * p.moe_tp)};
  for (const graph::KeptTensor& tensor : block.kept) {
    const Bytes bytes = tensor.of_rank(p.tp, p.sp, p.moe_tp);
    (tensor.offloaded ? memory.offloaded : memory.kept) += bytes;
    memory.widest = std::max(memory.widest, bytes);
  }
  for (const graph::KeptTensor& tensor : block.recomputed) {
    const Bytes bytes = tensor.of_rank(p.tp, p.sp, p.moe_tp);
    memory.recomputed += bytes;
    if (tensor.of_weight_gradient) memory.put_off += bytes;
    memory.widest = std::max(memory.widest, bytes);
  }
  return memory;
}

void StageShare::hold(const InFlight& most, std::int64_t chunks) {
  in_flight = d(most.held) / d(chunks);
  put_off = d(most.put_off) / d(chunks);
}

std::vector<StageShare> shares_of(const graph::TrainingGraph& graph, const ScheduleShape& shape) {
  const std::vector<StageLayers> stages =
      deal_layers(static_cast<std::int64_t>(graph.block_of_layer.size()), shape.stages());
  const std::vector<InFlight> in_flight = peak_in_flight(shape);
  std::vector<StageShare> shares;
  for (std::int64_t rank = 0; rank < shape.pp; ++rank) {
    StageShare share{.counts = std::vector<std::int64_t>(graph.blocks.size())};
    share.hold(in_flight[static_cast<std::size_t>(rank)], shape.chunks());
    for (std::int64_t chunk = 0; chunk < shape.chunks(); ++chunk) {
      const StageLayers& stage = stages[static_cast<std::size_t>(shape.stage_of(rank, chunk))];
      for (std::int64_t layer = stage.first; layer < stage.end; ++layer)
        ++share.counts[graph.block_of_layer[static_cast<std::size_t>(layer)]];
      if (stage.embedding) share.counts.front() = 1;
      if (stage.head) share.counts.back() = 1;
    }
    shares.push_back(std::move(share));
  }
  return shares;
}

StageMemory stage_memory(std::span<const BlockMemory> blocks, const StageShare& share, const TrainingParallelism& p,
                         const StageSetting& setting) {
  MLOSIM_CHECK(blocks.size() == share.counts.size());
  Held held;
  StageMemory memory;
  Bytes recomputed, in_transit, widest;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const BlockMemory& block = blocks[b];
    const double count = d(share.counts[b]);
    if (count == 0) continue;
    const bool is_head = b + 1 == blocks.size();
    held.dense += count * block.dense;
    held.experts += count * block.experts;
    held.largest = std::max(held.largest, block.dense + block.experts);
    // The head's backward follows its forward at once.
    memory.activations += count * (is_head ? 1 : share.in_flight) * block.kept;
    memory.activations += count * (is_head ? std::min(1.0, share.put_off) : share.put_off) * block.put_off;
    recomputed = std::max(recomputed, block.recomputed);
    in_transit = std::max(in_transit, kInTransit * block.offloaded);
    widest = std::max(widest, block.widest);
  }
  if (share.counts.back() > 0 && share.counts.front() == 0) held.dense += setting.tied_table / d(p.tp);
  memory.activations += recomputed + in_transit;
  memory.workspace = setting.context + widest;
  add_states(held, p, setting.state, memory);
  return memory;
}

TrainingMemoryPlan plan_training_memory(std::span<const BlockMemory> blocks, std::span<const StageShare> stages,
                                        const TrainingParallelism& p, const StageSetting& setting, Bytes capacity) {
  MLOSIM_CHECK(!stages.empty());
  TrainingMemoryPlan plan;
  for (const StageShare& share : stages) {
    plan.stages.push_back(stage_memory(blocks, share, p, setting));
    if (plan.stages.back().total() > plan.peak().total()) plan.worst = plan.stages.size() - 1;
  }
  plan.capacity = capacity;
  return plan;
}

MemoryPlan memory_plan(const StageMemory& peak, Bytes capacity) {
  MemoryPlan plan;
  plan.weights = peak.weights;
  plan.gradients = peak.gradients;
  plan.optimizer = peak.optimizer;
  plan.activations = peak.activations;
  plan.workspace = peak.workspace;
  plan.capacity = capacity;
  return plan;
}

}  // namespace mlosim::plan
