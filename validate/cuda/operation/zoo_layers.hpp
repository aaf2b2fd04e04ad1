// Widths of the models of mlosim's zoo, as far as they make the weight matrices of their layers; typed in, because this
// project stands alone. A test of the main project compares them with models/zoo/*.yaml. Host side only: no CUDA.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mlosim::measure {

// Multi-head latent attention; kv_rank is zero where a model has none.
struct LatentWidths {
  std::int64_t q_rank = 0, kv_rank = 0, nope_dim = 0, rope_dim = 0, v_dim = 0;
};

struct ZooModel {
  std::string name;
  std::int64_t hidden = 0, heads = 0, kv_heads = 0, head_dim = 0;
  bool output_gate = false;                                  // of the attention: as wide as the queries
  std::int64_t ffn = 0, expert_ffn = 0, shared_experts = 0;  // zero: no such layers
  bool gated = true;
  std::int64_t vocab = 0;
  LatentWidths latent = {};
};

const std::vector<ZooModel>& zoo_models();

// A weight matrix as a layer holds it on one chip: n outputs of k inputs each.
struct Weight {
  std::int64_t n = 0, k = 0;
  bool operator==(const Weight&) const = default;
  auto operator<=>(const Weight&) const = default;
};

// qkv, out, gate_up, down and lm_head of one model, split `tp` ways as Megatron splits them; layers that such a split
// would cut unevenly are left out.
std::vector<Weight> weights_of(const ZooModel& model, std::int64_t tp);

// Of all models at tp 1, 2, 4 and 8: each once, sorted.
std::vector<Weight> zoo_weights();

}  // namespace mlosim::measure
