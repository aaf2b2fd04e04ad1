#include "models/graph/feed_forward_nodes.hpp"

#include "sim/units/check.hpp"

namespace mlosim::graph {
namespace {

using work::ElementwiseKind;

ElementwiseKind plain(Activation activation) {
  switch (activation) {
    case Activation::gelu:
      return ElementwiseKind::gelu;
    case Activation::relu:
      return ElementwiseKind::relu;
    case Activation::silu:
      return ElementwiseKind::silu;
  }
  MLOSIM_CHECK(false);
}

// A gated ReLU moves the same bytes as a gated SiLU.
ElementwiseKind gated(Activation activation) {
  return activation == Activation::gelu ? ElementwiseKind::gelu_mul : ElementwiseKind::silu_mul;
}

}  // namespace

void add_activation(const StepContext& step, const std::string& prefix, std::int64_t width, Nodes& nodes) {
  const ModelSpec& m = step.model;
  const auto add = [&](const std::string& name, ElementwiseKind kind) {
    nodes.push_back(pass_node(
        step,
        {.name = prefix + name, .kind = kind, .rows = step.tokens(), .cols = width, .partition = Partition::column}));
  };
  if (m.gated && step.options.fuses_gate_activation) {
    add(".activation", gated(m.activation));
    return;
  }
  add(".activation", plain(m.activation));
  if (m.gated) add(".gate", ElementwiseKind::mul);
}

void add_ffn(const StepContext& step, const std::string& prefix, std::int64_t width, Nodes& nodes) {
  const ModelSpec& m = step.model;
  nodes.push_back(linear_node(step, {.name = prefix + (m.gated ? ".gate_up" : ".up"),
                                     .rows = step.tokens(),
                                     .outputs = width * (m.gated ? 2 : 1),
                                     .inputs = m.hidden,
                                     .partition = Partition::column}));
  add_activation(step, prefix, width, nodes);
  nodes.push_back(linear_node(step, {.name = prefix + ".down",
                                     .rows = step.tokens(),
                                     .outputs = m.hidden,
                                     .inputs = width,
                                     .partition = Partition::row}));
}

void add_experts(const StepContext& step, Nodes& nodes) {
  const ModelSpec& m = step.model;
  const MoeShape& moe = *m.moe;
  nodes.push_back(unquantised_node(
      step, {.name = "moe.router", .rows = step.tokens(), .outputs = moe.experts, .inputs = m.hidden}));
  nodes.push_back({.name = "moe.topk",
                   .op = work::make_elementwise(ElementwiseKind::topk_router, step.tokens(), moe.experts,
                                                work::DType::fp32, work::DType::fp32)});
  if (moe.shared_experts > 0) {
    add_ffn(step, "moe.shared", moe.shared_experts * moe.shared_expert_ffn, nodes);
    nodes.back().joins_next_reduction = true;
  }
  nodes.push_back({.name = "moe.experts",
                   .op = work::MoeGemm{.tokens = step.tokens(),
                                       .hidden = m.hidden,
                                       .inter = moe.expert_ffn,
                                       .experts = moe.experts,
                                       .topk = moe.experts_per_token,
                                       .gated = m.gated,
                                       .activations = step.precision.activations,
                                       .weights = step.precision.weights},
                   .partition = Partition::experts});
  if (moe.shared_experts > 0) {
    nodes.push_back(
        pass_node(step, {.name = "moe.add", .kind = ElementwiseKind::add, .rows = step.tokens(), .cols = m.hidden}));
  }
}

}  // namespace mlosim::graph
