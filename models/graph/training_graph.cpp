#include "models/graph/training_graph.hpp"

#include <algorithm>

#include "models/graph/layer_nodes.hpp"
#include "models/graph/training_backward.hpp"
#include "sim/spec/diagnostics.hpp"
#include "sim/units/check.hpp"

namespace mlosim::graph {
namespace {

using work::ElementwiseKind;

double d(std::int64_t n) { return static_cast<double>(n); }

GraphOptions forward_options(const TrainingOptions& options) {
  return {.fuses_residual_norm = options.fuses_residual_norm,
          .fuses_gate_activation = options.fuses_gate_activation,
          .fuses_rope = false,
          .fused_attention = options.fused_attention};
}

TrainingBlock build_block(const StepContext& step, const TrainingOptions& options, std::string name, Nodes nodes,
                          Recompute::Policy policy) {
  const bool is_first = name == "embedding";
  const Trace trace = trace_forward(step, options, training_nodes(step, options, std::move(nodes)));
  TrainingBlock block;
  block.name = std::move(name);
  for (const TracedNode& traced : trace.nodes) block.forward.push_back({.node = traced.node, .pass = Pass::forward});
  Kept kept = keep_tensors(options, trace, policy);
  block.kept = std::move(kept.kept);
  block.recomputed = std::move(kept.recomputed);
  block.backward = std::move(kept.nodes);
  for (TrainingNode& node : backward_nodes(step, options, trace, is_first)) block.backward.push_back(std::move(node));
  return block;
}

// Whether `layer` is one of n that are evenly spread over all.
bool is_one_of(std::int64_t layer, std::int64_t n, std::int64_t all) { return (layer + 1) * n / all > layer * n / all; }

Recompute::Policy policy_of(const Recompute& recompute, std::int64_t layer, std::int64_t layers) {
  if (recompute.policy != Recompute::Policy::full || recompute.full_layers == 0) return recompute.policy;
  return is_one_of(layer, std::min(recompute.full_layers, layers), layers) ? Recompute::Policy::full
                                                                           : Recompute::Policy::none;
}

// One block for each kind of layer, in the order in which the kinds first occur.
void add_layers(const StepContext& step, const TrainingOptions& options, TrainingGraph& graph) {
  const ModelSpec& m = step.model;
  struct Kind {
    AttentionKind attention;
    bool moe;
    Recompute::Policy policy;
    std::size_t block;
  };
  std::vector<Kind> kinds;
  for (std::int64_t layer = 0; layer < m.layers; ++layer) {
    const AttentionKind& attention = m.layer_attention(layer);
    const bool moe = m.layer_is_moe(layer);
    const Recompute::Policy policy = policy_of(options.recompute, layer, m.layers);
    auto found = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& k) {
      return k.attention == attention && k.moe == moe && k.policy == policy;
    });
    if (found == kinds.end()) {
      found = kinds.insert(kinds.end(), {attention, moe, policy, graph.blocks.size()});
      TrainingBlock block =
          build_block(step, options, "layers." + std::to_string(layer), layer_nodes(step, attention, moe), policy);
      const LayerParameters parameters = layer_parameters(m, layer);
      block.parameters = parameters.attention + parameters.ffn + parameters.norms;
      block.expert_parameters = parameters.experts;
      graph.blocks.push_back(std::move(block));
    }
    graph.blocks[found->block].layers.push_back(layer);
    graph.block_of_layer.push_back(static_cast<std::uint32_t>(found->block));
  }
}

// The loss of every token; classifiers have so few logits that theirs is left out.
Nodes loss_nodes(const StepContext& step, const TrainingOptions& options) {
  Nodes nodes = head_nodes(step, true);
  if (nodes.back().name != "lm_head") return nodes;
  const double logits = d(step.tokens()) * d(step.model.vocab);
  const bool fused = options.fuses_cross_entropy;
  nodes.push_back({.name = "loss",
                   .op = work::Elementwise{.kind = ElementwiseKind::cross_entropy,
                                           .rows = step.tokens(),
                                           .cols = step.model.vocab,
                                           .dtype = fused ? step.precision.compute : work::DType::fp32,
                                           .bytes_in = logits * Bytes(fused ? 10 : 20),
                                           .bytes_out = logits * Bytes(fused ? 4 : 14)},
                   .partition = Partition::vocabulary});
  return nodes;
}

}  // namespace

TrainingGraph build_training_graph(const ModelSpec& model, const TrainingShape& shape, const Precision& precision,
                                   const TrainingOptions& wanted) {
  MLOSIM_CHECK(shape.micro_batch >= 1 && shape.sequence >= 1 && shape.cp >= 1);
  if (model.architecture == Architecture::encoder_decoder) {
    throw spec::InputError("training of encoder-decoder models is not modelled: their two stacks run different tokens",
                           "use a decoder or an encoder");
  }
  TrainingOptions options = wanted;
  if (options.dropout) options.fuses_residual_norm = false;  // what is added to the residual is dropped first
  const GraphOptions forward = forward_options(options);
  StepContext step{.model = model,
                   .precision = precision,
                   .options = forward,
                   .batch = shape.micro_batch,
                   .new_tokens = std::max<std::int64_t>(1, shape.sequence / shape.cp),
                   .context = shape.sequence,
                   .decode = false,
                   .causal = model.architecture != Architecture::encoder,
                   .training = true};
  if (model.image > 0) step.new_tokens = step.context = model.image_tokens();
  // Queries of a rank that shares a causal sequence see half of the keys before its own on average: as many as the last
  // queries of so long a sequence would.
  if (step.causal && shape.cp > 1) step.context = (shape.sequence + step.new_tokens) / 2;

  const ParameterCount count = count_parameters(model);
  TrainingGraph graph;
  graph.blocks.push_back(
      build_block(step, options, "embedding", embedding_nodes(step, step.tokens()), Recompute::Policy::none));
  graph.blocks.back().parameters = count.embedding;
  add_layers(step, options, graph);
  graph.blocks.push_back(build_block(step, options, "head", loss_nodes(step, options), Recompute::Policy::none));
  graph.blocks.back().parameters = count.head;
  double norms = count.norms;  // what no layer has is the last norm's
  for (const TrainingBlock& block : graph.blocks)
    for (const std::int64_t layer : block.layers) norms -= layer_parameters(model, layer).norms;
  graph.blocks.back().parameters += norms;
  return graph;
}

}  // namespace mlosim::graph
