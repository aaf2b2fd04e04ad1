// Cuts a network's step over the chips of a group and lays it out as the program of one rank. All ranks of the group
// are alike: one stands for all.
#pragma once

#include "models/graph/graph.hpp"
#include "models/plan/inference_stages.hpp"
#include "models/plan/parallelism.hpp"
#include "sim/machine/program.hpp"
#include "sim/spec/runtime_spec.hpp"

namespace mlosim::plan {

// Checks that the model can be cut that way (heads, experts, layers, batch, a prompt's tokens); mistakes go to `place`.
void check_inference(const graph::ModelSpec& model, const Parallelism& parallelism, std::int64_t batch,
                     std::int64_t prompt, const spec::Node& place);

// What the software stack makes of the step.
struct StepOptions {
  spec::LaunchPath launch = spec::LaunchPath::graph;
  bool fuses_pointwise = false;     // pointwise operators are part of a neighbouring GEMM and cost nothing
  bool fuses_quantisation = false;  // so is the quantisation of activations
  bool separate_residual = false;   // a layer's last residual addition is in the next one's norm: stages pass on both
  bool decode = false;              // one token of each sequence; otherwise prompts
};

// The program of one rank of a stage. `graph` is built for the sequences of one attention sub-group
// (batch / (dp·attention_dp), or a micro-batch of them) and for cp.
//   After a row-cut GEMM its output is all-reduced over tp; experts' output over the group, or, under attention_dp,
//   tokens go to their experts and back by all-to-all (ep > 1) or all-gather and reduce-scatter (ep = 1), after which
//   the ranks of a tensor-parallel sub-group gather each other's share; logits are gathered.
//   sp: instead of an all-reduce a reduce-scatter; norms and residual additions work on a rank's part of the tokens,
//   which are gathered before the next product.
//   cp: in a prefill keys and values (MLA: the latent) are gathered; in decode ranks attend to their part of the cache,
//   gather the logarithms of the sums of exponentials, weight their outputs with them and add those up.
//   pp: each tp rank sends its part of the tokens to the next stage, where they are gathered; the last stage sends the
//   chosen tokens to the first.
machine::Program plan_inference_stage(const graph::Graph& graph, const InferenceStage& stage,
                                      const Parallelism& parallelism, const graph::Precision& precision,
                                      const StepOptions& options);

// The whole network as one stage.
machine::Program plan_inference_step(const graph::Graph& graph, const Parallelism& parallelism,
                                     const graph::Precision& precision, const StepOptions& options);

}  // namespace mlosim::plan
