// Predictions of one training workload in many layouts on one machine: TrainingCosts with the figures that follow from
// its estimates. As predict() in closed form says it, but for operators, intervals and sensitivities, which it leaves
// out. Used by models/explore.
#pragma once

#include "models/predict/predict.hpp"
#include "models/predict/setting.hpp"
#include "models/predict/training_costs.hpp"

namespace mlosim::predict {

class LayoutPredictor {
 public:
  // `workload.training` is of the layouts' model and formats. Requires: not Fidelity::event. The setting and the tables
  // outlive it, the workload need not.
  LayoutPredictor(const Workload& workload, const Setting& setting, const CostTables& tables, chip::Fidelity fidelity);
  LayoutPredictor(const LayoutPredictor&) = delete;
  LayoutPredictor& operator=(const LayoutPredictor&) = delete;

  // `training` has passed check_training. The answer stands until the next call. Throws as TrainingCosts::estimate.
  const Prediction& predict(const Training& training);
  // Whether it fits its memory, as the prediction would say.
  bool fits(const Training& training) { return costs_.fits(training); }

  // To be called where numbers of the setting's machine have changed in place, as TrainingCosts::renew_prices.
  void renew_prices();
  void renew_network_prices();  // of none of the chip's

 private:
  void read_economics();

  const Setting& setting_;
  const CostTables& tables_;
  graph::ModelSpec model_;
  TrainingSubject subject_;
  TrainingCosts costs_;
  spec::EconomicsChoice own_economics_, economics_;
  Prediction prediction_;
};

}  // namespace mlosim::predict
