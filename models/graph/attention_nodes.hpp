// Nodes of one layer's token mixing: grouped-query attention, latent attention (MLA) or the gated delta rule, from the
// normed input to the projection that ends in the residual stream. Internal to this folder.
#pragma once

#include "models/graph/step_nodes.hpp"

namespace mlosim::graph {

// Columns that queries, keys and values (and an output gate) take in a fused projection.
std::int64_t qkv_columns(const ModelSpec& model, const AttentionKind& kind);
std::int64_t kv_columns(const ModelSpec& model, const AttentionKind& kind);

// The whole of it, as `kind` and the model ask for.
void add_attention(const StepContext& step, const AttentionKind& kind, Nodes& nodes);

// Grouped-query attention without its two projections.
void add_attention_core(const StepContext& step, const AttentionKind& kind, Nodes& nodes);

// The decoder's attention to `source` tokens of the encoder's output, with its norm. `projects_source`: the encoder's
// output is new and its keys and values are made here.
void add_cross_attention(const StepContext& step, std::int64_t source, bool projects_source, Nodes& nodes);

void add_latent_attention(const StepContext& step, Nodes& nodes);
void add_linear_attention(const StepContext& step, Nodes& nodes);

}  // namespace mlosim::graph
