// Cuts a network's step over the chips of a group and lays it out as the program of one rank. All ranks of the group
// are alike: one stands for all.
#pragma once

#include "models/graph/graph.hpp"
#include "models/plan/parallelism.hpp"
#include "sim/machine/program.hpp"
#include "sim/spec/runtime_spec.hpp"

namespace mlosim::plan {

// Checks that the model can be cut that way (heads, experts, batch); mistakes go to `place`.
void check_inference(const graph::ModelSpec& model, const Parallelism& parallelism, std::int64_t batch,
                     const spec::Node& place);

// What the software stack makes of the step.
struct StepOptions {
  spec::LaunchPath launch = spec::LaunchPath::graph;
  bool fuses_pointwise = false;     // pointwise operators are part of a neighbouring GEMM and cost nothing
  bool fuses_quantisation = false;  // so is the quantisation of activations
};

// The program of one rank. `graph` is built for the sequences of one attention sub-group (batch / (dp·attention_dp)).
//   After a row-cut GEMM its output is all-reduced over tp; experts' output over the group, or, under attention_dp,
//   tokens go to their experts and back by all-to-all (ep > 1) or all-gather and reduce-scatter (ep = 1), after which
//   the ranks of a tensor-parallel sub-group gather each other's share; logits are gathered.
machine::Program plan_inference_step(const graph::Graph& graph, const Parallelism& parallelism,
                                     const graph::Precision& precision, const StepOptions& options);

}  // namespace mlosim::plan
