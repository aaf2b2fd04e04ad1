// Nodes of one layer's feed-forward part: a plain (gated) FFN or routed experts with their router and shared experts.
// Internal to this folder.
#pragma once

#include "models/graph/step_nodes.hpp"

namespace mlosim::graph {

// A plain FFN of `width`; names begin with `prefix` ("mlp", "moe.shared").
void add_ffn(const StepContext& step, const std::string& prefix, std::int64_t width, Nodes& nodes);
// Its middle alone: the activation and the gate's product.
void add_activation(const StepContext& step, const std::string& prefix, std::int64_t width, Nodes& nodes);

void add_experts(const StepContext& step, Nodes& nodes);

}  // namespace mlosim::graph
