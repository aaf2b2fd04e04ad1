// Nodes of one whole layer, of the embedding and of the head, in the order they run. Internal to this folder: the
// graphs of inference and of training are made of them.
#pragma once

#include "models/graph/step_nodes.hpp"

namespace mlosim::graph {

Nodes layer_nodes(const StepContext& step, const AttentionKind& kind, bool moe);
// The second half of a layer, with what adds it to the residual stream.
void add_feed_forward(const StepContext& step, bool moe, Nodes& nodes);
// The nodes from `first` on belong to the attention block.
void mark_attention_side(Nodes& nodes, std::size_t first);

Nodes embedding_nodes(const StepContext& step, std::int64_t tokens);
// The final norm and the head; `all_logits`: of every token rather than each sequence's last, and without sampling.
Nodes head_nodes(const StepContext& step, bool all_logits);

}  // namespace mlosim::graph
