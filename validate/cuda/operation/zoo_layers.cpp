#include "validate/cuda/operation/zoo_layers.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace mlosim::measure {
namespace {

class Layers {
 public:
  explicit Layers(std::int64_t tp) : tp_(tp) {}

  void whole(std::int64_t n, std::int64_t k) {
    if (n > 0 && k > 0) weights_.push_back({n, k});
  }
  void by_outputs(std::int64_t n, std::int64_t k) {
    if (n % tp_ == 0) whole(n / tp_, k);
  }
  void by_inputs(std::int64_t n, std::int64_t k) {
    if (k % tp_ == 0) whole(n, k / tp_);
  }
  void feed_forward(const ZooModel& model, std::int64_t width) {
    by_outputs(model.gated ? 2 * width : width, model.hidden);
    by_inputs(model.hidden, width);
  }
  std::vector<Weight> take() { return std::move(weights_); }

 private:
  std::int64_t tp_;
  std::vector<Weight> weights_;
};

void add_latent_attention(const ZooModel& model, std::int64_t tp, Layers& layers) {
  const LatentWidths& latent = model.latent;
  const std::int64_t query = model.heads * (latent.nope_dim + latent.rope_dim);
  layers.whole(latent.q_rank + latent.kv_rank + latent.rope_dim, model.hidden);
  if (model.heads % tp != 0) return;
  layers.by_outputs(query, latent.q_rank);
  layers.by_outputs(model.heads * (latent.nope_dim + latent.v_dim), latent.kv_rank);
  layers.by_inputs(model.hidden, model.heads * latent.v_dim);
}

// Heads stay whole; where there are fewer K/V heads than chips, each chip holds a copy of one.
void add_grouped_query_attention(const ZooModel& model, std::int64_t tp, Layers& layers) {
  if (model.heads % tp != 0) return;
  const std::int64_t query_heads = model.heads / tp * (model.output_gate ? 2 : 1);
  const std::int64_t kv_heads = std::max<std::int64_t>(1, model.kv_heads / tp);
  layers.whole((query_heads + 2 * kv_heads) * model.head_dim, model.hidden);
  layers.by_inputs(model.hidden, model.heads * model.head_dim);
}

}  // namespace

const std::vector<ZooModel>& zoo_models() {
  static const std::vector<ZooModel> models = {
      // clang-format off
      {.name = "bert-large", .hidden = 1024, .heads = 16, .kv_heads = 16, .head_dim = 64, .ffn = 4096, .gated = false, .vocab = 30522},
      {.name = "deepseek-r1", .hidden = 7168, .heads = 128, .ffn = 18432, .expert_ffn = 2048, .shared_experts = 1, .vocab = 129280, .latent = {.q_rank = 1536, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .v_dim = 128}},
      {.name = "deepseek-v2", .hidden = 5120, .heads = 128, .ffn = 12288, .expert_ffn = 1536, .shared_experts = 2, .vocab = 102400, .latent = {.q_rank = 1536, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .v_dim = 128}},
      {.name = "deepseek-v3", .hidden = 7168, .heads = 128, .ffn = 18432, .expert_ffn = 2048, .shared_experts = 1, .vocab = 129280, .latent = {.q_rank = 1536, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .v_dim = 128}},
      {.name = "gemma-2-27b", .hidden = 4608, .heads = 32, .kv_heads = 16, .head_dim = 128, .ffn = 36864, .vocab = 256000},
      {.name = "gemma-2-9b", .hidden = 3584, .heads = 16, .kv_heads = 8, .head_dim = 256, .ffn = 14336, .vocab = 256000},
      {.name = "gemma-3-27b", .hidden = 5376, .heads = 32, .kv_heads = 16, .head_dim = 128, .ffn = 21504, .vocab = 262144},
      {.name = "glm-5", .hidden = 6144, .heads = 64, .ffn = 12288, .expert_ffn = 2048, .shared_experts = 1, .vocab = 154880, .latent = {.q_rank = 2048, .kv_rank = 512, .nope_dim = 192, .rope_dim = 64, .v_dim = 256}},
      {.name = "gpt-neox-20b", .hidden = 6144, .heads = 64, .kv_heads = 64, .head_dim = 96, .ffn = 24576, .gated = false, .vocab = 50432},
      {.name = "gpt-oss-120b", .hidden = 2880, .heads = 64, .kv_heads = 8, .head_dim = 64, .expert_ffn = 2880, .vocab = 201088},
      {.name = "gpt-oss-20b", .hidden = 2880, .heads = 64, .kv_heads = 8, .head_dim = 64, .expert_ffn = 2880, .vocab = 201088},
      {.name = "gpt2-xl", .hidden = 1600, .heads = 25, .kv_heads = 25, .head_dim = 64, .ffn = 6400, .gated = false, .vocab = 50257},
      {.name = "gpt2", .hidden = 768, .heads = 12, .kv_heads = 12, .head_dim = 64, .ffn = 3072, .gated = false, .vocab = 50257},
      {.name = "gpt3-175b", .hidden = 12288, .heads = 96, .kv_heads = 96, .head_dim = 128, .ffn = 49152, .gated = false, .vocab = 50257},
      {.name = "kimi-k2.5", .hidden = 7168, .heads = 64, .ffn = 18432, .expert_ffn = 2048, .shared_experts = 1, .vocab = 163840, .latent = {.q_rank = 1536, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .v_dim = 128}},
      {.name = "kimi-k2", .hidden = 7168, .heads = 64, .ffn = 18432, .expert_ffn = 2048, .shared_experts = 1, .vocab = 163840, .latent = {.q_rank = 1536, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .v_dim = 128}},
      {.name = "llama-2-70b", .hidden = 8192, .heads = 64, .kv_heads = 8, .head_dim = 128, .ffn = 28672, .vocab = 32000},
      {.name = "llama-2-7b", .hidden = 4096, .heads = 32, .kv_heads = 32, .head_dim = 128, .ffn = 11008, .vocab = 32000},
      {.name = "llama-3.1-405b", .hidden = 16384, .heads = 128, .kv_heads = 8, .head_dim = 128, .ffn = 53248, .vocab = 128256},
      {.name = "llama-3.1-70b", .hidden = 8192, .heads = 64, .kv_heads = 8, .head_dim = 128, .ffn = 28672, .vocab = 128256},
      {.name = "llama-3.1-8b", .hidden = 4096, .heads = 32, .kv_heads = 8, .head_dim = 128, .ffn = 14336, .vocab = 128256},
      {.name = "llama-4-maverick", .hidden = 5120, .heads = 40, .kv_heads = 8, .head_dim = 128, .ffn = 16384, .expert_ffn = 8192, .shared_experts = 1, .vocab = 202048},
      {.name = "llama-4-scout", .hidden = 5120, .heads = 40, .kv_heads = 8, .head_dim = 128, .ffn = 16384, .expert_ffn = 8192, .shared_experts = 1, .vocab = 202048},
      {.name = "megatron-1t", .hidden = 25600, .heads = 160, .kv_heads = 160, .head_dim = 160, .ffn = 102400, .gated = false, .vocab = 51200},
      {.name = "minimax-m2.5", .hidden = 3072, .heads = 48, .kv_heads = 8, .head_dim = 128, .expert_ffn = 1536, .vocab = 200064},
      {.name = "mistral-7b", .hidden = 4096, .heads = 32, .kv_heads = 8, .head_dim = 128, .ffn = 14336, .vocab = 32000},
      {.name = "mixtral-8x22b", .hidden = 6144, .heads = 48, .kv_heads = 8, .head_dim = 128, .ffn = 16384, .expert_ffn = 16384, .vocab = 32000},
      {.name = "mixtral-8x7b", .hidden = 4096, .heads = 32, .kv_heads = 8, .head_dim = 128, .ffn = 14336, .expert_ffn = 14336, .vocab = 32000},
      {.name = "mt-nlg-530b", .hidden = 20480, .heads = 128, .kv_heads = 128, .head_dim = 160, .ffn = 81920, .gated = false, .vocab = 51200},
      {.name = "palm-540b", .hidden = 18432, .heads = 48, .kv_heads = 1, .head_dim = 256, .ffn = 73728, .vocab = 256000},
      {.name = "phi-3-mini", .hidden = 3072, .heads = 32, .kv_heads = 32, .head_dim = 96, .ffn = 8192, .vocab = 32064},
      {.name = "qwen2.5-7b", .hidden = 3584, .heads = 28, .kv_heads = 4, .head_dim = 128, .ffn = 18944, .vocab = 152064},
      {.name = "qwen3-235b-a22b", .hidden = 4096, .heads = 64, .kv_heads = 4, .head_dim = 128, .ffn = 12288, .expert_ffn = 1536, .vocab = 151936},
      {.name = "qwen3-30b-a3b", .hidden = 2048, .heads = 32, .kv_heads = 4, .head_dim = 128, .ffn = 6144, .expert_ffn = 768, .vocab = 151936},
      {.name = "qwen3-32b", .hidden = 5120, .heads = 64, .kv_heads = 8, .head_dim = 128, .ffn = 25600, .vocab = 151936},
      {.name = "qwen3-8b", .hidden = 4096, .heads = 32, .kv_heads = 8, .head_dim = 128, .ffn = 12288, .vocab = 151936},
      {.name = "qwen3.5-397b-a17b", .hidden = 4096, .heads = 32, .kv_heads = 2, .head_dim = 256, .output_gate = true, .expert_ffn = 1024, .shared_experts = 1, .vocab = 248320},
      {.name = "t5-small", .hidden = 512, .heads = 8, .kv_heads = 8, .head_dim = 64, .ffn = 2048, .gated = false, .vocab = 32128},
      {.name = "vit-b16", .hidden = 768, .heads = 12, .kv_heads = 12, .head_dim = 64, .ffn = 3072, .gated = false},
      // clang-format on
  };
  return models;
}

std::vector<Weight> weights_of(const ZooModel& model, std::int64_t tp) {
  Layers layers(tp);
  if (model.latent.kv_rank > 0) {
    add_latent_attention(model, tp, layers);
  } else {
    add_grouped_query_attention(model, tp, layers);
  }
  layers.feed_forward(model, model.ffn);
  layers.feed_forward(model, model.expert_ffn);
  layers.feed_forward(model, model.expert_ffn * model.shared_experts);
  layers.by_outputs(model.vocab, model.hidden);
  return layers.take();
}

std::vector<Weight> zoo_weights() {
  std::set<Weight> weights;
  for (const ZooModel& model : zoo_models())
    for (std::int64_t tp : {1, 2, 4, 8})
      for (const Weight& weight : weights_of(model, tp)) weights.insert(weight);
  return {weights.begin(), weights.end()};
}

}  // namespace mlosim::measure
