#include "models/graph/layer_nodes.hpp"

#include "models/graph/attention_nodes.hpp"
#include "models/graph/feed_forward_nodes.hpp"

namespace mlosim::graph {
namespace {

using work::ElementwiseKind;

// Attention and FFN from one norm (PaLM): their input matrices are one GEMM, and so are their output matrices, whose
// one product is the sum of both branches.
void add_fused_parallel_layer(const StepContext& step, const AttentionKind& kind, Nodes& nodes) {
  const ModelSpec& m = step.model;
  nodes.push_back(norm_node(step, "input_norm", true));
  GraphNode in = linear_node(step, {.name = "parallel.in",
                                    .rows = step.tokens(),
                                    .outputs = qkv_columns(m, kind) + m.ffn * (m.gated ? 2 : 1),
                                    .inputs = m.hidden,
                                    .partition = Partition::column});
  in.kv_columns = kv_columns(m, kind);
  in.kv_ways = m.kv_heads_of(kind);
  nodes.push_back(std::move(in));
  add_attention_core(step, kind, nodes);
  mark_attention_side(nodes, 0);
  add_activation(step, "mlp", m.ffn, nodes);
  nodes.push_back(linear_node(step, {.name = "parallel.out",
                                     .rows = step.tokens(),
                                     .outputs = m.hidden,
                                     .inputs = m.heads * m.v_head_dim + m.ffn,
                                     .partition = Partition::row}));
  add_residual(step, "residual", nodes);
}

// What stands between attention and feed-forward.
void add_middle_norms(const StepContext& step, Nodes& nodes) {
  const ModelSpec& m = step.model;
  if (m.parallel_block) {
    if (m.norms_per_layer == 2) nodes.push_back(norm_node(step, "post_attention_norm", false));
    return;
  }
  if (m.norms_per_layer == 4) nodes.push_back(norm_node(step, "post_attention_norm", false));
  add_residual(step, "attention_residual", nodes);
  nodes.push_back(norm_node(step, m.norms_per_layer == 4 ? "pre_feedforward_norm" : "post_attention_norm", true));
}

}  // namespace

void mark_attention_side(Nodes& nodes, std::size_t first) {
  for (std::size_t i = first; i < nodes.size(); ++i) nodes[i].attention_side = true;
}

void add_feed_forward(const StepContext& step, bool moe, Nodes& nodes) {
  const ModelSpec& m = step.model;
  if (moe) {
    add_experts(step, nodes);
  } else {
    add_ffn(step, "mlp", m.ffn, nodes);
  }
  if (m.norms_per_layer == 4) nodes.push_back(norm_node(step, "post_feedforward_norm", false));
  if (m.parallel_block) {
    nodes.push_back(pass_node(
        step, {.name = "parallel_add", .kind = ElementwiseKind::add, .rows = step.tokens(), .cols = m.hidden}));
  }
  add_residual(step, "mlp_residual", nodes);
}

Nodes layer_nodes(const StepContext& step, const AttentionKind& kind, bool moe) {
  const ModelSpec& m = step.model;
  Nodes nodes;
  if (m.parallel_block && m.norms_per_layer == 1 && !moe && !m.mla && !kind.linear) {
    add_fused_parallel_layer(step, kind, nodes);
    return nodes;
  }
  nodes.push_back(norm_node(step, "input_norm", true));
  add_attention(step, kind, nodes);
  add_middle_norms(step, nodes);
  mark_attention_side(nodes, 0);
  add_feed_forward(step, moe, nodes);
  return nodes;
}

Nodes embedding_nodes(const StepContext& step, std::int64_t tokens) {
  const ModelSpec& m = step.model;
  Nodes nodes;
  if (m.image > 0) {
    nodes.push_back(unquantised_node(step, {.name = "patch_embedding",
                                            .rows = step.batch * (m.image_tokens() - 1),
                                            .outputs = m.hidden,
                                            .inputs = m.patch * m.patch * m.channels}));
  } else {
    nodes.push_back(
        {.name = "embedding",
         .op =
             work::Embedding{
                 .tokens = tokens, .hidden = m.hidden, .vocab = m.vocab, .dtype = step.unquantised_weights()},
         .partition = Partition::vocabulary});
  }
  if (m.positions > 0) {
    nodes.push_back(
        pass_node(step, {.name = "position_add", .kind = ElementwiseKind::add, .rows = tokens, .cols = m.hidden}));
  }
  return nodes;
}

Nodes head_nodes(const StepContext& step, bool all_logits) {
  const ModelSpec& m = step.model;
  const bool encoder = m.architecture == Architecture::encoder;
  const std::int64_t rows = all_logits ? step.tokens() : step.batch;
  Nodes nodes{norm_node(step, "final_norm", true)};
  if (m.classes > 0) {
    nodes.push_back(
        unquantised_node(step, {.name = "classifier", .rows = step.batch, .outputs = m.classes, .inputs = m.hidden}));
  } else if (m.vocab > 0 && (!encoder || all_logits)) {
    nodes.push_back(unquantised_node(
        step,
        {.name = "lm_head", .rows = rows, .outputs = m.vocab, .inputs = m.hidden, .partition = Partition::vocabulary}));
    if (!all_logits) nodes.push_back({.name = "sampling", .op = work::Sampling{.rows = rows, .vocab = m.vocab}});
  }
  return nodes;
}

}  // namespace mlosim::graph
