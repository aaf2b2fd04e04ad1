// The `quantization_config` of a Hugging Face checkpoint. Internal to this folder.
#pragma once

#include "models/graph/model.hpp"

namespace mlosim::import {

// Sets weights_dtype and quantises_experts_only; a method that is not known is left out with a warning.
void import_quantisation(spec::Node config, graph::ModelSpec& model);

}  // namespace mlosim::import
