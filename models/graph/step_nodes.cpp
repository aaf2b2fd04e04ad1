#include "models/graph/step_nodes.hpp"

namespace mlosim::graph {
namespace {

using work::DType;

bool is_low_precision(DType dtype) { return work::is_quantised(dtype) || dtype == DType::int4; }

GraphNode gemm_node(LinearShape shape, work::Gemm gemm) {
  gemm.m = shape.rows;
  gemm.n = shape.outputs;
  gemm.k = shape.inputs;
  return {.name = std::move(shape.name), .op = gemm, .partition = shape.partition};
}

}  // namespace

DType StepContext::layer_weights() const {
  return model.quantises_experts_only ? unquantised_weights() : precision.weights;
}

DType StepContext::layer_activations() const {
  return model.quantises_experts_only && is_low_precision(precision.activations) ? precision.compute
                                                                                 : precision.activations;
}

DType StepContext::unquantised_weights() const {
  return is_low_precision(precision.weights) ? precision.compute : precision.weights;
}

GraphNode linear_node(const StepContext& step, LinearShape shape) {
  const DType activations = step.layer_activations();
  return gemm_node(std::move(shape), {.activations = activations,
                                      .weights = step.layer_weights(),
                                      .output = step.precision.compute,
                                      .quantise_activations = !step.training && work::is_quantised(activations)});
}

GraphNode unquantised_node(const StepContext& step, LinearShape shape) {
  return gemm_node(
      std::move(shape),
      {.activations = step.precision.compute, .weights = step.unquantised_weights(), .output = step.precision.compute});
}

GraphNode pass_node(const StepContext& step, PassShape shape) {
  const DType dtype = step.precision.compute;
  return {.name = std::move(shape.name),
          .op = work::make_elementwise(shape.kind, shape.rows, shape.cols, dtype, dtype),
          .partition = shape.partition};
}

GraphNode batched_node(const StepContext& step, std::string name, work::Gemm shape) {
  shape.activations = step.precision.compute;
  shape.weights = step.precision.compute;
  shape.output = step.precision.compute;
  return {.name = std::move(name), .op = shape, .partition = Partition::heads};
}

GraphNode norm_node(const StepContext& step, std::string name, bool adds_residual) {
  using work::ElementwiseKind;
  const bool fused = adds_residual && step.options.fuses_residual_norm;
  const ElementwiseKind kind = step.model.rms_norm
                                   ? (fused ? ElementwiseKind::add_rmsnorm : ElementwiseKind::rmsnorm)
                                   : (fused ? ElementwiseKind::add_layernorm : ElementwiseKind::layernorm);
  return pass_node(step, {.name = std::move(name), .kind = kind, .rows = step.tokens(), .cols = step.model.hidden});
}

void add_residual(const StepContext& step, std::string name, Nodes& nodes) {
  if (step.options.fuses_residual_norm) return;
  nodes.push_back(pass_node(
      step,
      {.name = std::move(name), .kind = work::ElementwiseKind::add, .rows = step.tokens(), .cols = step.model.hidden}));
}

}  // namespace mlosim::graph
