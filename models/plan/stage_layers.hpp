// Which layers of a network each virtual stage of a pipeline runs.
#pragma once

#include <cstdint>
#include <vector>

#include "models/graph/training_graph.hpp"

namespace mlosim::plan {

struct StageLayers {
  std::int64_t first = 0, end = 0;  // layers [first, end); none at all where the ends are stages of their own
  bool embedding = false, head = false;
};

// Layers are dealt out evenly; where they do not divide, the stages between the ends get one more, then the first,
// which has the embedding, last the one that has the head: embedding and head are work too.
std::vector<StageLayers> deal_layers(std::int64_t layers, std::int64_t stages);

// Blocks of the graph that a stage runs, in the order of the forward pass; equal layers repeat theirs.
std::vector<std::uint32_t> blocks_of(const graph::TrainingGraph& graph, const StageLayers& stage);

}  // namespace mlosim::plan
