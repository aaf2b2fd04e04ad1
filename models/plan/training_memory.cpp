#include "models/plan/training_memory.hpp"

#include <algorithm>
#include <map>

#include "sim/units/check.hpp"

namespace mlosim::plan {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

constexpr double kGathered = 2;   // blocks of ZeRO-3 that are whole at once: the one in use and the next
constexpr double kInTransit = 2;  // layers whose offloaded tensors are on the chip at once: one leaves, one arrives

// Parameters on one rank before any sharding over data-parallel ranks. Norms and latent projections, which tensor
// parallelism does not cut, are counted as if they were: under 1 %.
struct Parameters {
  double dense = 0, experts = 0;

  Parameters& operator+=(const Parameters& other) {
    dense += other.dense;
    experts += other.experts;
    return *this;
  }
  double total() const { return dense + experts; }
};

class Planner {
 public:
  Planner(const graph::ModelSpec& model, const graph::TrainingGraph& graph, const Parallelism& parallelism,
          const TrainingState& state)
      : model_(model), graph_(graph), p_(parallelism), state_(state) {
    for (const graph::TrainingBlock& block : graph.blocks) {
      for (const std::int64_t layer : block.layers) block_of_.emplace(layer, &block);
    }
  }

  StageMemory stage(const StageShare& share, const spec::RuntimeSpec& runtime) const {
    Parameters held;
    double largest = 0;  // block, of those that ZeRO-3 gathers
    StageMemory memory;
    Bytes recomputed, in_transit, widest;
    const auto add = [&](const graph::TrainingBlock& block, double in_flight) {
      const Parameters own = parameters_of(block);
      held += own;
      largest = std::max(largest, own.total());
      Bytes offloaded, again;
      for (const graph::KeptTensor& tensor : block.kept) {
        const Bytes bytes = of_rank(tensor);
        widest = std::max(widest, bytes);
        (tensor.offloaded ? offloaded : memory.activations) += bytes * (tensor.offloaded ? 1 : in_flight);
      }
      for (const graph::KeptTensor& tensor : block.recomputed) {
        again += of_rank(tensor);
        widest = std::max(widest, of_rank(tensor));
      }
      recomputed = std::max(recomputed, again);
      in_transit = std::max(in_transit, kInTransit * offloaded);
    };
    for (const std::int64_t layer : share.layers) add(*block_of_.at(layer), share.in_flight);
    if (share.embedding) add(graph_.blocks.front(), share.in_flight);
    if (share.head) add(graph_.blocks.back(), 1);  // its backward follows its forward at once
    if (share.head && !share.embedding && model_.tied_embeddings)
      held.dense += d(model_.vocab) * d(model_.hidden) / d(p_.tp);

    memory.activations += recomputed + in_transit;
    memory.workspace = runtime.context_memory + widest;
    add_states(held, largest, memory);
    return memory;
  }

 private:
  Bytes of_rank(const graph::KeptTensor& tensor) const { return tensor.of_rank(p_.tp, p_.sp, p_.moe_tp); }

  Parameters parameters_of(const graph::TrainingBlock& block) const {
    return {.dense = block.parameters / d(p_.tp), .experts = block.expert_parameters / d(p_.ep * p_.moe_tp)};
  }

  // `each` of every parameter, over the shard where ZeRO has come to it.
  Bytes spread(const Parameters& held, Bytes each, int from_stage) const {
    if (state_.zero < from_stage) return held.total() * each;
    return (held.dense / d(state_.shard) + held.experts / d(state_.expert_shard)) * each;
  }

  void add_states(const Parameters& held, double largest, StageMemory& memory) const {
    const Bytes weight = work::bytes_per_element(state_.weights), gradient = work::bytes_per_element(state_.gradients);
    const Bytes master = state_.master_weights ? work::bytes_per_element(work::DType::fp32) : Bytes(0);
    memory.weights = spread(held, weight, 3);
    memory.gradients = spread(held, gradient, 2);
    memory.optimizer = spread(held, 2 * work::bytes_per_element(state_.moments) + master, 1);
    // A block's gradients are whole until they are reduced, its weights while they are used.
    if (state_.zero >= 2) memory.gradients += largest * gradient;
    if (state_.zero >= 3) memory.weights += kGathered * largest * weight;
  }

  const graph::ModelSpec& model_;
  const graph::TrainingGraph& graph_;
  const Parallelism& p_;
  const TrainingState& state_;
  std::map<std::int64_t, const graph::TrainingBlock*> block_of_;
};

// Layers of chunk i of n: as even as they get, the longer ones first.
std::vector<std::int64_t> layers_of_chunk(std::int64_t layers, std::int64_t chunk, std::int64_t chunks) {
  const std::int64_t each = layers / chunks, longer = layers % chunks;
  const std::int64_t first = chunk * each + std::min(chunk, longer);
  std::vector<std::int64_t> list;
  for (std::int64_t i = 0; i < each + (chunk < longer ? 1 : 0); ++i) list.push_back(first + i);
  return list;
}

}  // namespace

std::vector<StageShare> stages_of_1f1b(std::int64_t layers, std::int64_t pp, std::int64_t virtual_stages,
                                       std::int64_t micro_batches) {
  MLOSIM_CHECK(pp >= 1 && virtual_stages >= 1 && micro_batches >= 1);
  std::vector<StageShare> stages;
  for (std::int64_t rank = 0; rank < pp; ++rank) {
    StageShare share;
    for (std::int64_t chunk = 0; chunk < virtual_stages; ++chunk) {
      for (const std::int64_t layer : layers_of_chunk(layers, chunk * pp + rank, pp * virtual_stages))
        share.layers.push_back(layer);
    }
    share.embedding = rank == 0;
    share.head = rank == pp - 1;
    const std::int64_t chunks_in_flight =
        virtual_stages > 1 ? std::min(micro_batches * virtual_stages, pp * virtual_stages + pp - 1 - 2 * rank)
                           : std::min(micro_batches, pp - rank);
    share.in_flight = d(chunks_in_flight) / d(virtual_stages);
    stages.push_back(std::move(share));
  }
  return stages;
}

TrainingMemoryPlan plan_training_memory(const graph::ModelSpec& model, const graph::TrainingGraph& graph,
                                        const Parallelism& parallelism, const TrainingState& state,
                                        const std::vector<StageShare>& stages, const spec::RuntimeSpec& runtime,
                                        Bytes usable) {
  MLOSIM_CHECK(!stages.empty() && state.shard >= 1 && state.expert_shard >= 1);
  const Planner planner(model, graph, parallelism, state);
  TrainingMemoryPlan plan;
  for (const StageShare& share : stages) {
    plan.stages.push_back(planner.stage(share, runtime));
    if (plan.stages.back().total() > plan.peak().total()) plan.worst = plan.stages.size() - 1;
  }
  plan.capacity = usable * (1 - runtime.reserved_memory);
  return plan;
}

}  // namespace mlosim::plan
