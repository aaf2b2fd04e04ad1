// The `attention` field of a model, in all its spellings (model.hpp lists them). Part of decode_model.
#pragma once

#include "models/graph/model.hpp"

namespace mlosim::graph {

// Sets pattern, mla and linear of `model`, whose layers and kv_heads are known.
void decode_attention(spec::Node node, ModelSpec& model);

}  // namespace mlosim::graph
