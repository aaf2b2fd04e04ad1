#include "models/predict/layout_predictor.hpp"

#include "models/predict/evaluate_training.hpp"
#include "models/predict/figures.hpp"
#include "sim/units/check.hpp"

namespace mlosim::predict {

LayoutPredictor::LayoutPredictor(const Workload& workload, const Setting& setting, const CostTables& tables,
                                 chip::Fidelity fidelity)
    : setting_(setting),
      tables_(tables),
      model_(*workload.model),
      subject_{.model = model_,
               .precision = setting.precision,
               .hardware = setting.hardware,
               .gradients = workload.precision.gradients},
      costs_(subject_, training_price_options({.fidelity = fidelity}, setting.hardware.system.chip)),
      own_economics_(workload.economics) {
  MLOSIM_CHECK(fidelity != chip::Fidelity::event);
  prediction_.workload = workload.name;
  prediction_.system = setting.hardware.system.name;
  prediction_.chip = setting.hardware.system.chip.name;
  prediction_.runtime = setting.hardware.runtime.name;
  prediction_.task = workload.task;
  prediction_.precision = setting.precision;
  prediction_.fidelity = fidelity;
  read_economics();
}

void LayoutPredictor::read_economics() {
  const spec::SystemSpec& system = setting_.hardware.system;
  economics_ = own_economics_.over(system.economics.over(tables_.economics));
  if (tables_.silicon) prediction_.silicon = estimate_silicon(system.chip, *tables_.silicon);
}

void LayoutPredictor::renew_prices() {
  costs_.renew_prices(training_price_options({.fidelity = prediction_.fidelity}, setting_.hardware.system.chip));
  read_economics();
}

void LayoutPredictor::renew_network_prices() {
  costs_.renew_network_prices();
  read_economics();
}

const Prediction& LayoutPredictor::predict(const Training& training) {
  fill_evaluation(subject_, training, costs_.estimate(training), prediction_.evaluation);
  fill_figures(prediction_, setting_.hardware.system, economics_);
  return prediction_;
}

}  // namespace mlosim::predict
