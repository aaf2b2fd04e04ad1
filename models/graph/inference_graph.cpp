#include <algorithm>

#include "models/graph/attention_nodes.hpp"
#include "models/graph/feed_forward_nodes.hpp"
#include "models/graph/graph.hpp"
#include "models/graph/layer_nodes.hpp"
#include "sim/units/check.hpp"

namespace mlosim::graph {
namespace {

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

void cut_over_context_ranks(StepContext& step) {
  MLOSIM_CHECK(step.model.architecture == Architecture::decoder);
  const auto part = [&](std::int64_t tokens) { return (tokens + step.cp - 1) / step.cp; };
  if (step.decode) {
    step.context = part(step.context);
    return;
  }
  MLOSIM_CHECK(step.context == step.new_tokens);
  step.new_tokens = part(step.new_tokens);
  step.context = (step.context + step.new_tokens) / 2;
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
  graph.blocks.push_back({.name = "embedding",
                          .layers = {},
                          .nodes = embedding_nodes(whole, decoder.tokens() + (shape.decode ? 0 : encoder.tokens()))});
  if (!shape.decode) {
    graph.blocks.push_back({.name = "encoder.0",
                            .layers = first_layers(m.encoder_layers),
                            .nodes = layer_nodes(encoder, AttentionKind{}, false)});
    graph.blocks.push_back({.name = "encoder_norm", .layers = {}, .nodes = {norm_node(encoder, "encoder_norm", true)}});
  }
  graph.blocks.push_back({.name = "layers.0",
                          .layers = first_layers(m.layers),
                          .nodes = cross_layer_nodes(decoder, source, !shape.decode)});
  graph.blocks.push_back({.name = "head", .layers = {}, .nodes = head_nodes(decoder, false)});
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
  MLOSIM_CHECK(shape.cp >= 1);
  StepContext step{.model = model,
                   .precision = precision,
                   .options = options,
                   .batch = shape.batch,
                   .new_tokens = shape.new_tokens,
                   .context = shape.context,
                   .decode = shape.decode,
                   .cp = shape.cp};
  if (shape.cp > 1) cut_over_context_ranks(step);
  if (model.architecture == Architecture::encoder_decoder) return encoder_decoder_graph(step, shape);
  if (model.architecture == Architecture::encoder) {
    MLOSIM_CHECK(!shape.decode);
    if (model.image > 0) step.new_tokens = model.image_tokens();
    step.context = step.new_tokens;
    step.causal = false;
  }
  Graph graph;
  graph.blocks.push_back({.name = "embedding", .layers = {}, .nodes = embedding_nodes(step, step.tokens())});
  add_layers(step, graph);
  graph.blocks.push_back({.name = "head", .layers = {}, .nodes = head_nodes(step, shape.all_logits)});
  return graph;
}

}  // namespace mlosim::graph
