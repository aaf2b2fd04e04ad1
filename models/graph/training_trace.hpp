// The tensors that a forward pass goes through: which operator reads, writes and needs again each of them. What
// recomputation and the backward pass are derived from. Internal to this folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/graph/step_nodes.hpp"
#include "models/graph/training_graph.hpp"

namespace mlosim::graph {

// One rank's tokens' worth of an activation, whole.
struct Tensor {
  std::string name;
  double rows = 1, cols = 1;
  Bytes bytes;
  Partition partition = Partition::replicated;
  bool has_gradient = true;  // false for masks and statistics
};

using TensorIndex = std::size_t;

// An operator with what it reads, writes, and what its gradients need again.
struct TracedNode {
  GraphNode node;
  std::vector<TensorIndex> reads, writes, saves;
};

struct Trace {
  std::vector<Tensor> tensors;
  std::vector<TracedNode> nodes;
};

// What training adds to a block's inference nodes: dropout, masks, bias passes, quantisation. `nodes` are all of one
// block; those that work on each token alone are marked `sequence`.
Nodes training_nodes(const StepContext& step, const TrainingOptions& options, Nodes nodes);

// `nodes` as training_nodes makes them. The first tensor is the block's input.
Trace trace_forward(const StepContext& step, const TrainingOptions& options, const Nodes& nodes);

// True for tensors of the attention's scores, which grow with the square of the sequence and which selective
// recomputation drops.
bool is_of_scores(const Tensor& tensor);

}  // namespace mlosim::graph
