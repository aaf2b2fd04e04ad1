// What the layers of one step have in common, and how their linear, elementwise and norm nodes are made from it.
// Internal to this folder: the builders of attention and feed-forward nodes use it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/graph/graph.hpp"

namespace mlosim::graph {

using Nodes = std::vector<GraphNode>;

// One forward step through one stack of layers.
struct StepContext {
  const ModelSpec& model;
  const Precision& precision;
  const GraphOptions& options;
  std::int64_t batch = 1, new_tokens = 1, context = 1;
  bool decode = false;
  bool causal = true;
  std::int64_t cp = 1;    // ranks that share the sequences; new_tokens and context are of one of them
  bool training = false;  // no cache is written, nothing is quantised inside products, latents are expanded

  std::int64_t tokens() const { return batch * new_tokens; }
  // Of a sequence, whose keys are all on the rank when it attends in a prefill.
  std::int64_t gathered_tokens() const { return cp > 1 ? cp * new_tokens : context; }
  // Formats of the layers' own matrices: the compute format where only experts are quantised.
  work::DType layer_weights() const;
  work::DType layer_activations() const;
  // Format of embedding, head, router and indexer.
  work::DType unquantised_weights() const;
};

// rows × inputs times inputs × outputs.
struct LinearShape {
  std::string name;
  std::int64_t rows = 1, outputs = 1, inputs = 1;
  Partition partition = Partition::replicated;
};
GraphNode linear_node(const StepContext& step, LinearShape shape);       // in the layers' formats
GraphNode unquantised_node(const StepContext& step, LinearShape shape);  // embedding side, head, router, indexer

// A pass over rows × cols in the compute format.
struct PassShape {
  std::string name;
  work::ElementwiseKind kind = work::ElementwiseKind::copy;
  std::int64_t rows = 1, cols = 1;
  Partition partition = Partition::replicated;
};
GraphNode pass_node(const StepContext& step, PassShape shape);

// A product of two activations, or of heads' own matrices: `batch` times m×k by k×n, cut by heads.
GraphNode batched_node(const StepContext& step, std::string name, work::Gemm shape);

// The model's norm over the hidden width; with the residual's addition where `adds_residual` and the stack fuses it.
GraphNode norm_node(const StepContext& step, std::string name, bool adds_residual);
// Adds the residual as an operator of its own where the stack does not fuse it into the next norm.
void add_residual(const StepContext& step, std::string name, Nodes& nodes);

}  // namespace mlosim::graph
