// A training step: chunks of layers are played once for each kind that there is, then the pipeline schedule over them,
// then what comes once a step. All replicas are alike: one is played.
#pragma once

#include "models/predict/evaluate.hpp"

namespace mlosim::predict {

// Requires workload.training and workload.model. Throws spec::InputError.
Evaluation evaluate_training(const Workload& workload, const graph::Precision& precision,
                             const spec::Hardware& hardware, const EvaluateOptions& options);

}  // namespace mlosim::predict
