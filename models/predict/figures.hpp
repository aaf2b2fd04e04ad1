// The figures of a prediction that follow from its evaluation: rates and money.
#pragma once

#include "models/predict/predict.hpp"
#include "sim/spec/economics.hpp"
#include "sim/spec/system_spec.hpp"

namespace mlosim::predict {

// `economics`: the workload's over the system's over what all have in common.
void fill_figures(Prediction& prediction, const spec::SystemSpec& system, const spec::EconomicsChoice& economics);

}  // namespace mlosim::predict
