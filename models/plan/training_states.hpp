// What data parallelism does with parameters, gradients and the optimiser's state: the collectives of its groups and
// the passes of the optimiser, for one rank. And what stages pass on.
#pragma once

#include <cstdint>
#include <vector>

#include "models/graph/training_graph.hpp"
#include "models/plan/training_parallelism.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::plan {

// Counts, whole: not cut over ranks.
struct Parameters {
  double dense = 0, experts = 0;
  // Of the dense ones, those that tensor parallelism repeats on each rank: norms, biases of the residual stream,
  // routers, the latent projections of MLA. Counted by the work of their gradients; none of a block that trains no
  // weights.
  double repeated = 0;

  static Parameters of(const graph::TrainingBlock& block);
  void add(const Parameters& other, double times);
  bool operator==(const Parameters&) const = default;
};

// All-gathers of what ZeRO has shared out, in the format that the products read.
std::vector<work::Collective> parameter_gathers(const Parameters& parameters, const TrainingParallelism& p,
                                                work::DType weights);

// Sums of the gradients over the replicas: an all-reduce; a reduce-scatter where states are shared out, and under HSDP
// an all-reduce of the shards over their copies besides.
std::vector<work::Collective> gradient_reductions(const Parameters& parameters, const TrainingParallelism& p,
                                                  work::DType gradients);

// Under sp each tensor-parallel rank has seen a part of the tokens: the gradients of what all ranks hold whole are
// added up over them once a step, in one message (Megatron-core's finalize_model_grads). Without sp, or without tp,
// none.
std::vector<work::Collective> repeated_gradient_sums(const Parameters& parameters, const TrainingParallelism& p,
                                                     work::DType gradients);

// Under dualpipe two ranks hold each stage, and each sees half of the micro-batches: what data parallelism has summed
// up of a rank's gradients is added to that of the other copy, in one message. Else none.
std::vector<work::Collective> copy_sums(const Parameters& parameters, const TrainingParallelism& p,
                                        work::DType gradients);

enum class Optimizer { adam, sgd };

// Of a parameter of the rank's share, its moments in `moments`: the gradient is read for the norm that clips it and set
// to zero in the end, in fp32; Adam reads gradient, two moments and master copy and writes the last three and the
// parameter itself; plain SGD reads gradient and master copy and writes both copies.
std::vector<work::Elementwise> optimizer_passes(const Parameters& parameters, const TrainingParallelism& p,
                                                work::DType weights, Optimizer optimizer, work::DType moments);

// How one rank passes on a micro-batch's activations, or their gradients, to the next stage. Under sp each
// tensor-parallel rank has a part of the tokens and sends it. Without, each has all of them and sends all; or, where
// the stack scatters its messages, a part, which the receivers gather among them (Narayanan et al. 2021, section 4.1).
std::vector<work::Collective> boundary_messages(const graph::ModelSpec& model, const graph::TrainingShape& shape,
                                                const TrainingParallelism& p, work::DType format, bool scatters);

}  // namespace mlosim::plan
