#include "models/predict/layout_predictor.hpp"

#include <utility>

#include "models/predict/evaluate_training.hpp"
#include "models/predict/figures.hpp"
#include "sim/units/check.hpp"

namespace mlosim::predict {

LayoutPredictor::LayoutPredictor(const Workload& workload, std::shared_ptr<const Setting> setting,
                                 const CostTables& tables, chip::Fidelity fidelity)
    : setting_(std::move(setting)),
      model_(*workload.model),
      subject_{.model = model_,
               .precision = setting_->precision,
               .hardware = setting_->hardware,
               .gradients = workload.precision.gradients},
      costs_(subject_, training_price_options({.fidelity = fidelity}, setting_->hardware.system.chip)),
      economics_(workload.economics.over(setting_->hardware.system.economics.over(tables.economics))) {
  MLOSIM_CHECK(fidelity != chip::Fidelity::event);
  const spec::SystemSpec& system = setting_->hardware.system;
  prediction_.workload = workload.name;
  prediction_.system = system.name;
  prediction_.chip = system.chip.name;
  prediction_.runtime = setting_->hardware.runtime.name;
  prediction_.task = workload.task;
  prediction_.precision = setting_->precision;
  prediction_.fidelity = fidelity;
  if (tables.silicon) prediction_.silicon = estimate_silicon(system.chip, *tables.silicon);
}

const Prediction& LayoutPredictor::predict(const Training& training) {
  fill_evaluation(subject_, training, costs_.estimate(training), prediction_.evaluation);
  fill_figures(prediction_, setting_->hardware.system, economics_);
  return prediction_;
}

}  // namespace mlosim::predict
