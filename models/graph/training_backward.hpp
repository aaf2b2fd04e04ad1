// The gradients of a traced forward pass, operator by operator, and what of the forward runs again before them.
// Internal to this folder.
#pragma once

#include <vector>

#include "models/graph/training_trace.hpp"

namespace mlosim::graph {

// From the block's output to its input. `is_first`: nothing before the block wants a gradient.
std::vector<TrainingNode> backward_nodes(const StepContext& step, const TrainingOptions& options, const Trace& trace,
                                         bool is_first);

// Which tensors wait for the backward pass, and which are made again for it.
struct Kept {
  std::vector<KeptTensor> kept, recomputed;
  std::vector<TrainingNode> nodes;  // Pass::recompute, in order
};
Kept keep_tensors(const TrainingOptions& options, const Trace& trace, Recompute::Policy policy);

}  // namespace mlosim::graph
