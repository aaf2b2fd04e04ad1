// Models for the tests of this folder, small enough to derive every shape and count by hand.
#pragma once

#include "models/graph/model.hpp"

namespace mlosim::graph {

inline ModelSpec tiny() {
  ModelSpec m;
  m.name = "tiny";
  m.layers = 4;
  m.hidden = 64;
  m.heads = 4;
  m.kv_heads = 2;
  m.head_dim = m.v_head_dim = 16;
  m.ffn = 96;
  m.vocab = 1000;
  return m;
}

inline ModelSpec tiny_latent() {
  ModelSpec m = tiny();
  m.mla = MlaShape{.q_rank = 24, .kv_rank = 32, .nope_dim = 12, .rope_dim = 4, .v_dim = 8};
  m.kv_heads = 4;
  m.v_head_dim = 8;
  return m;
}

}  // namespace mlosim::graph
