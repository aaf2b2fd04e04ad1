// Predictions of one training workload in many layouts on one machine: TrainingCosts with the figures that follow from
// its estimates. As predict() in closed form says it, but for operators, intervals and sensitivities, which it leaves
// out. Used by models/explore.
#pragma once

#include <memory>

#include "models/predict/predict.hpp"
#include "models/predict/setting.hpp"
#include "models/predict/training_costs.hpp"

namespace mlosim::predict {

class LayoutPredictor {
 public:
  // `workload.training` is of the layouts' model and formats. Requires: not Fidelity::event. The workload and the
  // tables need not outlive it.
  LayoutPredictor(const Workload& workload, std::shared_ptr<const Setting> setting, const CostTables& tables,
                  chip::Fidelity fidelity);
  LayoutPredictor(const LayoutPredictor&) = delete;
  LayoutPredictor& operator=(const LayoutPredictor&) = delete;

  // `training` has passed check_training. The answer stands until the next call. Throws as TrainingCosts::estimate.
  const Prediction& predict(const Training& training);

 private:
  std::shared_ptr<const Setting> setting_;
  graph::ModelSpec model_;
  TrainingSubject subject_;
  TrainingCosts costs_;
  spec::EconomicsChoice economics_;
  Prediction prediction_;
};

}  // namespace mlosim::predict
