// Recomputation as a walk over the traced tensors: what is saved and not kept is made again, by the nodes that write it
// from what is kept.
#include <algorithm>
#include <set>

#include "models/graph/training_backward.hpp"

namespace mlosim::graph {
namespace {

using Tensors = std::set<TensorIndex>;

Tensors saved_tensors(const Trace& trace) {
  Tensors saved;
  for (const TracedNode& node : trace.nodes) saved.insert(node.saves.begin(), node.saves.end());
  return saved;
}

// Names of lists stand for the tensors of all kinds of layers that play the part.
bool is_named(const std::string& tensor, const std::vector<std::string>& names) {
  const auto has = [&](std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  if (tensor == "key_value_proj") return has("key_proj") || has("value_proj");
  if (tensor == "qkv_proj") return has("query_proj") && has("key_proj") && has("value_proj");
  if (tensor == "softmax_statistics") return has("context");
  if (tensor == "gated_context") return has("context");
  if (tensor == "shared.mlpwi") return has("mlpwi");
  if (tensor == "shared.mlpwo" || tensor == "expert_outputs") return has("mlpwo");
  return has(tensor);
}

Tensors kept_tensors(const TrainingOptions& options, const Trace& trace, Recompute::Policy policy) {
  Tensors kept = saved_tensors(trace);
  switch (policy) {
    case Recompute::Policy::none:
      return kept;
    case Recompute::Policy::selective:
      std::erase_if(kept, [&](TensorIndex i) { return is_of_scores(trace.tensors[i]); });
      return kept;
    case Recompute::Policy::full:
      return {0};
    case Recompute::Policy::keep:
      kept = {0};
      for (TensorIndex i = 0; i < trace.tensors.size(); ++i) {
        if (is_named(trace.tensors[i].name, options.recompute.keep)) kept.insert(i);
      }
      return kept;
  }
  return kept;
}

// Of quantised products, operands wait as they were quantised.
bool waits_quantised(const Trace& trace, TensorIndex tensor, work::DType& format) {
  bool is_operand = false;
  for (const TracedNode& node : trace.nodes) {
    if (std::find(node.saves.begin(), node.saves.end(), tensor) == node.saves.end()) continue;
    const auto* gemm = std::get_if<work::Gemm>(&node.node.op);
    if (!gemm || !work::is_quantised(gemm->activations)) return false;
    format = gemm->activations;
    is_operand = true;
  }
  return is_operand;
}

bool is_operand_of_weight_gradient(const TrainingOptions& options, const Trace& trace, TensorIndex tensor) {
  return options.trains_weights && std::any_of(trace.nodes.begin(), trace.nodes.end(), [&](const TracedNode& node) {
           const auto* gemm = std::get_if<work::Gemm>(&node.node.op);
           const bool has_weights = (gemm && gemm->parameters) || std::holds_alternative<work::MoeGemm>(node.node.op);
           return has_weights && std::find(node.saves.begin(), node.saves.end(), tensor) != node.saves.end();
         });
}

KeptTensor describe(const TrainingOptions& options, const Trace& trace, TensorIndex index) {
  const Tensor& tensor = trace.tensors[index];
  KeptTensor kept{.name = tensor.name,
                  .bytes = tensor.bytes,
                  .partition = tensor.partition,
                  .sequence = tensor.partition == Partition::replicated,
                  .offloaded = false,
                  .of_weight_gradient = is_operand_of_weight_gradient(options, trace, index)};
  work::DType format{};
  if (!options.fuses_quantisation && waits_quantised(trace, index, format))
    kept.bytes = tensor.rows * tensor.cols * work::bytes_per_element(format);
  return kept;
}

bool is_quantiser(const TracedNode& node) {
  const auto* pass = std::get_if<work::Elementwise>(&node.node.op);
  return pass && pass->kind == work::ElementwiseKind::quantise;
}

// Adds a node as it runs again. Of experts whose outputs nobody needs, the first product alone.
void run_again(const TracedNode& traced, bool all_of_it, std::vector<TrainingNode>& nodes) {
  nodes.push_back({.node = traced.node, .pass = Pass::recompute});
  if (all_of_it) return;
  if (auto* experts = std::get_if<work::MoeGemm>(&nodes.back().node.op)) experts->pass = work::MoePass::up;
}

// Only what leads to tensors that gradients need.
std::vector<TrainingNode> needed_again(const Trace& trace, const Tensors& kept) {
  Tensors wanted;
  for (const TensorIndex tensor : saved_tensors(trace)) {
    if (!kept.contains(tensor)) wanted.insert(tensor);
  }
  std::vector<TrainingNode> nodes;
  bool product_runs = false;  // the node after this one
  for (std::size_t i = trace.nodes.size(); i-- > 0;) {
    const TracedNode& traced = trace.nodes[i];
    if (is_quantiser(traced)) {
      if (product_runs) run_again(traced, true, nodes);
      continue;
    }
    product_runs =
        std::any_of(traced.writes.begin(), traced.writes.end(), [&](TensorIndex t) { return wanted.contains(t); });
    if (!product_runs) continue;
    const bool wants_output = std::any_of(traced.writes.begin(), traced.writes.end(), [&](TensorIndex t) {
      const std::string& name = trace.tensors[t].name;
      return wanted.contains(t) && (name.starts_with("mlpwo") || name == "expert_outputs");
    });
    run_again(traced, wants_output, nodes);
    for (const TensorIndex tensor : traced.reads) {
      if (!kept.contains(tensor)) wanted.insert(tensor);
    }
  }
  std::reverse(nodes.begin(), nodes.end());
  return nodes;
}

std::vector<TrainingNode> nodes_again(const TrainingOptions& options, const Trace& trace, Recompute::Policy policy,
                                      const Tensors& kept) {
  if (policy == Recompute::Policy::none) return {};
  if (options.prunes_recompute || policy == Recompute::Policy::keep) return needed_again(trace, kept);
  std::vector<TrainingNode> nodes;
  for (const TracedNode& traced : trace.nodes) {
    if (policy == Recompute::Policy::full || traced.node.name.starts_with("attention.core"))
      run_again(traced, true, nodes);
  }
  return nodes;
}

}  // namespace

Bytes KeptTensor::of_rank(std::int64_t tp, bool sequence_parallel, std::int64_t moe_tp) const {
  switch (partition) {
    case Partition::column:
    case Partition::row:
    case Partition::heads:
    case Partition::vocabulary:
      return bytes / static_cast<double>(tp);
    case Partition::experts:
      return bytes / static_cast<double>(moe_tp);
    case Partition::replicated:
      return sequence && sequence_parallel ? bytes / static_cast<double>(tp) : bytes;
  }
  return bytes;
}

Kept keep_tensors(const TrainingOptions& options, const Trace& trace, Recompute::Policy policy) {
  const Tensors kept = kept_tensors(options, trace, policy);
  Kept result{.kept = {}, .recomputed = {}, .nodes = nodes_again(options, trace, policy, kept)};
  for (const TensorIndex tensor : kept) {
    result.kept.push_back(describe(options, trace, tensor));
    result.kept.back().offloaded = options.recompute.offload && policy != Recompute::Policy::none;
  }
  for (const TensorIndex tensor : saved_tensors(trace)) {
    if (!kept.contains(tensor)) result.recomputed.push_back(describe(options, trace, tensor));
  }
  return result;
}

}  // namespace mlosim::graph
