#include <algorithm>

#include "models/graph/attention_nodes.hpp"
#include "models/graph/feed_forward_nodes.hpp"
#include "models/graph/graph.hpp"
#include "sim/units/check.hpp"

namespace mlosim::graph {
namespace {

using work::ElementwiseKind;

void mark_attention_side(Nodes& nodes, std::size_t first) {
  for (std::size_t i = first; i < nodes.size(); ++i) nodes[i].attention_side = true;
}

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

// One block for each kind of layer, in the order in which the kinds first occur.
void add_layers(const StepContext& step, Graph& graph) {
  const ModelSpec& m = step.model;
  struct Kind {
    AttentionKind attention;
    bool moe;
    std::size_t block;
  };
  std::vector<Kind> kinds;
  for (std::int64_t layer = 0; layer < m.layers; ++layer) {
    const AttentionKind& attention = m.layer_attention(layer);
    const bool moe = m.layer_is_moe(layer);
    auto found = std::find_if(kinds.begin(), kinds.end(),
                              [&](const Kind& k) { return k.attention == attention && k.moe == moe; });
    if (found == kinds.end()) {
      found = kinds.insert(kinds.end(), {attention, moe, graph.blocks.size()});
      graph.blocks.push_back(
          {.name = "layers." + std::to_string(layer), .layers = {}, .nodes = layer_nodes(step, attention, moe)});
    }
    graph.blocks[found->block].layers.push_back(layer);
  }
}

Block embedding_block(const StepContext& step, std::int64_t tokens) {
  const ModelSpec& m = step.model;
  Block block{.name = "embedding", .layers = {}, .nodes = {}};
  if (m.image > 0) {
    block.nodes.push_back(unquantised_node(step, {.name = "patch_embedding",
                                                  .rows = step.batch * (m.image_tokens() - 1),
                                                  .outputs = m.hidden,
                                                  .inputs = m.patch * m.patch * m.channels}));
  } else {
    block.nodes.push_back(
        {.name = "embedding",
         .op =
             work::Embedding{
                 .tokens = tokens, .hidden = m.hidden, .vocab = m.vocab, .dtype = step.unquantised_weights()},
         .partition = Partition::vocabulary});
  }
  if (m.positions > 0) {
    block.nodes.push_back(
        pass_node(step, {.name = "position_add", .kind = ElementwiseKind::add, .rows = tokens, .cols = m.hidden}));
  }
  return block;
}

Block head_block(const StepContext& step, bool all_logits) {
  const ModelSpec& m = step.model;
  const bool encoder = m.architecture == Architecture::encoder;
  const std::int64_t rows = all_logits ? step.tokens() : step.batch;
  Block block{.name = "head", .layers = {}, .nodes = {norm_node(step, "final_norm", true)}};
  if (m.classes > 0) {
    block.nodes.push_back(
        unquantised_node(step, {.name = "classifier", .rows = step.batch, .outputs = m.classes, .inputs = m.hidden}));
  } else if (m.vocab > 0 && (!encoder || all_logits)) {
    block.nodes.push_back(unquantised_node(
        step,
        {.name = "lm_head", .rows = rows, .outputs = m.vocab, .inputs = m.hidden, .partition = Partition::vocabulary}));
    if (!all_logits) block.nodes.push_back({.name = "sampling", .op = work::Sampling{.rows = rows, .vocab = m.vocab}});
  }
  return block;
}

std::vector<std::int64_t> first_layers(std::int64_t count) {
  std::vector<std::int64_t> layers;
  for (std::int64_t i = 0; i < count; ++i) layers.push_back(i);
  return layers;
}

// The decoder's layers with cross-attention between attention and feed-forward.
Nodes cross_layer_nodes(const StepContext& step, std::int64_t source, bool projects_source) {
  Nodes nodes{norm_node(step, "input_norm", true)};
  add_attention(step, AttentionKind{}, nodes);
  add_residual(step, "attention_residual", nodes);
  add_cross_attention(step, source, projects_source, nodes);
  nodes.push_back(norm_node(step, "post_attention_norm", true));
  mark_attention_side(nodes, 0);
  add_feed_forward(step, false, nodes);
  return nodes;
}

Graph encoder_decoder_graph(const StepContext& whole, const StepShape& shape) {
  const ModelSpec& m = whole.model;
  const std::int64_t source = !shape.decode             ? shape.new_tokens
                              : shape.source_tokens > 0 ? shape.source_tokens
                                                        : shape.context;
  StepContext encoder = whole;
  encoder.causal = false;
  encoder.context = encoder.new_tokens;
  StepContext decoder = whole;
  decoder.decode = true;
  decoder.new_tokens = 1;
  decoder.context = shape.decode ? std::max<std::int64_t>(1, shape.context - source) : 1;

  Graph graph;
  graph.blocks.push_back(embedding_block(whole, decoder.tokens() + (shape.decode ? 0 : encoder.tokens())));
  if (!shape.decode) {
    graph.blocks.push_back({.name = "encoder.0",
                            .layers = first_layers(m.encoder_layers),
                            .nodes = layer_nodes(encoder, AttentionKind{}, false)});
    graph.blocks.push_back({.name = "encoder_norm", .layers = {}, .nodes = {norm_node(encoder, "encoder_norm", true)}});
  }
  graph.blocks.push_back({.name = "layers.0",
                          .layers = first_layers(m.layers),
                          .nodes = cross_layer_nodes(decoder, source, !shape.decode)});
  graph.blocks.push_back(head_block(decoder, false));
  return graph;
}

}  // namespace

std::int64_t columns_of_rank(const GraphNode& node, std::int64_t ranks) {
  MLOSIM_CHECK(ranks >= 1 && std::holds_alternative<work::Gemm>(node.op));
  const auto share = [](std::int64_t columns, std::int64_t ways) { return (columns + ways - 1) / ways; };
  const std::int64_t columns = std::get<work::Gemm>(node.op).n;
  return share(columns - node.kv_columns, ranks) + share(node.kv_columns, std::min(ranks, node.kv_ways));
}

Graph build_inference_graph(const ModelSpec& model, const StepShape& shape, const Precision& precision,
                            const GraphOptions& options) {
  MLOSIM_CHECK(shape.batch >= 1 && shape.new_tokens >= 1 && shape.context >= shape.new_tokens);
  MLOSIM_CHECK(!shape.decode || shape.new_tokens == 1);
  StepContext step{.model = model,
                   .precision = precision,
                   .options = options,
                   .batch = shape.batch,
                   .new_tokens = shape.new_tokens,
                   .context = shape.context,
                   .decode = shape.decode};
  if (model.architecture == Architecture::encoder_decoder) return encoder_decoder_graph(step, shape);
  if (model.architecture == Architecture::encoder) {
    MLOSIM_CHECK(!shape.decode);
    if (model.image > 0) step.new_tokens = model.image_tokens();
    step.context = step.new_tokens;
    step.causal = false;
  }
  Graph graph;
  graph.blocks.push_back(embedding_block(step, step.tokens()));
  add_layers(step, graph);
  graph.blocks.push_back(head_block(step, shape.all_logits));
  return graph;
}

}  // namespace mlosim::graph
