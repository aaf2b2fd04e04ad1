// Which layers each stage of a pipeline runs in inference, and how long micro-batches take through all of them. The
// program of a stage is inference_step.hpp's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/graph/graph.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::plan {

// Layers of each stage: an even share; of the rest the stages in the middle take one more each, then the first, since
// the ends have the embedding and the head besides. layers, stages >= 1.
std::vector<std::int64_t> layers_of_stages(std::int64_t layers, std::int64_t stages);

// What one stage runs: indices of a graph's blocks in the order in which they run, a layer's once for each layer.
struct InferenceStage {
  std::vector<std::uint32_t> blocks;
  bool is_first = true, is_last = true;

  friend auto operator<=>(const InferenceStage&, const InferenceStage&) = default;
};

// The whole network in `stages` pieces. Blocks before the first layer belong to the first, those after the last layer
// to the last.
std::vector<InferenceStage> deal_stages(const graph::Graph& graph, std::int64_t stages);

// How the sequences of a replica pass through a pipeline: as many micro-batches as there are stages, so that all of
// them work, or one for each sequence where there are fewer. Rounded up: the fullest counts.
struct MicroBatches {
  std::int64_t size = 1, count = 1;

  static MicroBatches of(std::int64_t batch, std::int64_t stages);
};

// Equal micro-batches through stages that take `stage` each, message to the next included (a stage sends before it goes
// on).
//   once over (prefill):       Σ stage + (count − 1) max stage
//   round and round (decode):  max(count · max stage, Σ stage) a round: a micro-batch's next token needs its last, and
//   a
//                              stage works on one at a time. One round is a token for each of them.
// Exact for what it assumes: equal micro-batches and room for messages that wait.
Seconds time_through(std::span<const Seconds> stage, std::int64_t count);
Seconds time_of_round(std::span<const Seconds> stage, std::int64_t count);

}  // namespace mlosim::plan
