// Which activations a training step keeps from the forward pass, and which it computes again before the backward pass.
// The policy alone; training_graph.hpp applies it to a layer's tensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/spec/node.hpp"

namespace mlosim::graph {

struct Recompute {
  enum class Policy {
    none,       // everything that a gradient needs is kept
    selective,  // all but the attention's scores (Korthikanti et al., arXiv:2205.05198, §4)
    full,       // a layer's input alone
    keep,       // a layer's input and the tensors named in `keep`
  };

  Policy policy = Policy::none;
  std::int64_t full_layers = 0;     // of Policy::full: layers that it holds for, evenly spread; 0: all
  std::vector<std::string> keep{};  // names of KeptTensor
  bool offload = false;             // what layers keep under `full` and `keep` waits in the host's memory
};

// `none | selective | full | {full_layers: n} | {keep: [name, …], offload: true|false}`. Names are MaxText's:
// decoder_layer_input, query_proj (q), key_proj (k), value_proj (v), qkv_proj (qkv), context, out_proj, mlpwi (mlpwi_0,
// mlpwi_1), mlpwo. As published configurations are written down, a name may be followed by "kept", "on device" or "to
// host", and one followed by "remat" is not kept. Unknown names are diagnostics. An absent node is `none`.
Recompute decode_recompute(spec::Node node);

}  // namespace mlosim::graph
