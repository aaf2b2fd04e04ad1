// The program of a training step's end on one rank, one task after the other: reductions of gradients that nothing hid,
// sums over what else holds the same parameters, the optimiser, gathers of parameters that nothing will hide.
#pragma once

#include "models/graph/training_graph.hpp"
#include "models/plan/training_parallelism.hpp"
#include "models/plan/training_states.hpp"
#include "sim/machine/program.hpp"
#include "sim/spec/training_runtime.hpp"

namespace mlosim::plan {

struct StepEnd {
  Parameters own{};  // of the rank's blocks, whole
  work::DType weights = work::DType::bf16, moments = work::DType::fp32;
  Optimizer optimizer = Optimizer::adam;
  double tied_table = 0;  // parameters that first and last stage both hold
};

// `runtime` as the run uses it (train.overlap laid over it).
machine::Program plan_step_end(const StepEnd& end, const TrainingParallelism& p, const spec::TrainingRuntime& runtime);

// The first forward pass gathers what the optimiser has updated.
bool gathers_at_start(const TrainingParallelism& p, const spec::TrainingRuntime& runtime);

}  // namespace mlosim::plan
