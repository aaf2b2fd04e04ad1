// A training step. Played, chunks of layers are played once for each kind that there is, then the pipeline schedule
// over them, then what comes once a step; all replicas are alike: one is played. In closed form it is an estimate of
// TrainingCosts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/predict/evaluate.hpp"
#include "models/predict/training_costs.hpp"

namespace mlosim::predict {

// Requires workload.training and workload.model. Throws spec::InputError.
Evaluation evaluate_training(const Workload& workload, const graph::Precision& precision,
                             const spec::Hardware& hardware, const EvaluateOptions& options);

// How kernels of a step are priced: their operands have been used long ago, and the chip is hot.
machine::PriceOptions training_price_options(const EvaluateOptions& options, const spec::ChipSpec& chip);

// An evaluation of what TrainingCosts say.
void fill_evaluation(const TrainingSubject& subject, const Training& training, const TrainingEstimate& estimate,
                     Evaluation& evaluation);

// Of a workload that does not fit: changes of its layout that do, and what they need. Requires workload.training.
std::vector<std::pair<std::string, Bytes>> layouts_that_fit(const Workload& workload, const graph::Precision& precision,
                                                            const spec::Hardware& hardware);

}  // namespace mlosim::predict
