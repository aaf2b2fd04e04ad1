// A network's description: what a zoo file, an inline model or a Hugging Face config.json says. No hardware here, and
// no operators: those are made from it in graph.hpp. Draft layers for multi-token prediction are no part of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/spec/node.hpp"
#include "sim/work/dtype.hpp"

namespace mlosim::graph {

enum class Architecture {
  decoder,          // GPT, Llama, DeepSeek …
  encoder,          // BERT, ViT: no KV cache, no causal mask
  encoder_decoder,  // T5: encoder_layers besides `layers`, cross-attention in the decoder
};

enum class Activation { gelu, relu, silu };

// Which linear layers add a bias. Norms have one with `all` where they are layer norms; experts and routers follow
// `all`.
enum class Biases { none, qkv, all };

// How one layer mixes tokens.
struct AttentionKind {
  std::int64_t window = 0;                 // keys that a query sees; 0: all earlier tokens
  std::optional<std::int64_t> kv_heads{};  // where they differ from the model's
  bool linear = false;                     // the gated delta rule of ModelSpec::linear instead of attention

  friend bool operator==(const AttentionKind&, const AttentionKind&) = default;
};

// The lightning indexer of DeepSeek sparse attention: scores every earlier token with `heads` small heads and keeps
// `topk`.
struct IndexerShape {
  std::int64_t heads = 64, dim = 128, topk = 2048;
};

// Multi-head latent attention; the defaults are DeepSeek-V3's. q_rank 0: queries are not compressed.
struct MlaShape {
  std::int64_t q_rank = 1536, kv_rank = 512, nope_dim = 128, rope_dim = 64, v_dim = 128;
  std::optional<IndexerShape> indexer{};
};

// Gated delta rule (Qwen3-Next, Qwen3.5): a short causal convolution over queries, keys and values, then a state of
// key_dim × value_dim for each value head, kept in fp32.
struct LinearAttentionShape {
  std::int64_t key_heads = 16, value_heads = 32, key_dim = 128, value_dim = 128, conv = 4;

  std::int64_t convolved() const { return 2 * key_heads * key_dim + value_heads * value_dim; }
  std::int64_t values() const { return value_heads * value_dim; }
  std::int64_t state() const { return value_heads * key_dim * value_dim; }
};

struct MoeShape {
  std::int64_t experts = 0, experts_per_token = 1, expert_ffn = 0;
  std::int64_t shared_experts = 0;     // always-on experts
  std::int64_t shared_expert_ffn = 0;  // width of one; default expert_ffn
  std::int64_t dense_layers = 0;       // leading layers with a plain FFN
  std::int64_t every = 1;              // of the rest, the last of each group of `every` layers is MoE, the others dense
};

struct ModelSpec {
  std::string name;
  Architecture architecture = Architecture::decoder;
  std::int64_t layers = 0;          // decoder layers for encoder_decoder
  std::int64_t encoder_layers = 0;  // encoder_decoder only
  std::int64_t hidden = 0, heads = 0, kv_heads = 0, head_dim = 0, v_head_dim = 0;
  std::int64_t ffn = 0;  // 0 where every layer is MoE
  bool gated = true;     // three FFN matrices instead of two
  Activation activation = Activation::silu;
  std::int64_t vocab = 0;                           // 0: none (ViT has classes instead)
  std::int64_t positions = 0;                       // learned position embeddings (GPT-2, BERT, ViT)
  std::int64_t token_types = 0;                     // BERT
  std::int64_t classes = 0;                         // classification head
  std::int64_t patch = 0, channels = 3, image = 0;  // ViT
  bool tied_embeddings = false;
  bool parallel_block = false;  // attention and FFN from the same input (PaLM, NeoX)
  bool output_gate = false;     // queries bring a sigmoid gate for the attention's output (Qwen3.5)
  Biases biases = Biases::none;
  bool rms_norm = true;
  bool qk_norm = false;
  std::int64_t norms_per_layer = 2;        // Gemma 2 and 3 have 4; PaLM's parallel block 1
  std::vector<AttentionKind> pattern{{}};  // of layer i: pattern[i % size]
  std::optional<MlaShape> mla;
  std::optional<LinearAttentionShape> linear;
  std::optional<MoeShape> moe;
  std::optional<work::DType>
      weights_dtype;  // of a checkpoint that is published quantised; the workload's precision goes first
  bool quantises_experts_only =
      false;  // a low-precision run keeps all but the routed experts in the compute format (gpt-oss)

  bool layer_is_moe(std::int64_t layer) const;
  const AttentionKind& layer_attention(std::int64_t layer) const {
    return pattern[static_cast<std::size_t>(layer) % pattern.size()];
  }
  std::int64_t kv_heads_of(const AttentionKind& kind) const { return kind.kv_heads.value_or(kv_heads); }
  // Patches of an image and its class token.
  std::int64_t image_tokens() const { return (image / patch) * (image / patch) + 1; }
};

// Decodes the fields of a model (the contract's flat description). `schema`, `name` and `source` are read where they
// stand.
//
// `attention` is one of
//   full                                       every layer sees all earlier tokens
//   {window: W, every: N}                      of each N layers the last sees all, the others W tokens; every: 1 (the
//                                              default): all are windowed. `full_layers: [0, 5]` names them instead;
//                                              `window_kv_heads` where the windowed layers have their own
//   mla | {mla: {q_rank, kv_rank, nope_dim, rope_dim, v_dim, indexer: {heads, dim, topk}}}
//   {linear: {key_heads, value_heads, key_dim, value_dim, conv, every: N}}    of each N layers the last attends
// and, as published tables spell it, "alternating sliding window 128 / full" or "5 local(1024) : 1 global".
ModelSpec decode_model(spec::Node node);

// Reports sizes that no network has, and makes them harmless. Every decoder of models calls it before it makes anything
// as large as a size says.
void check_sizes(const spec::Node& node, ModelSpec& model);

// Counts of parameters.
struct ParameterCount {
  double embedding = 0;  // token, position and type tables; ViT's patch projection
  double head = 0;       // output projection, 0 where tied
  double attention = 0;  // of all layers
  double ffn = 0;        // dense FFNs, shared experts and routers
  double experts = 0;    // routed experts
  double norms = 0;
  double active = 0;  // per token: total with only the chosen experts
  double total() const { return embedding + head + attention + ffn + experts + norms; }
};
ParameterCount count_parameters(const ModelSpec& model);

// Of one layer of a decoder or encoder.
struct LayerParameters {
  double attention = 0;
  double ffn = 0;      // dense FFN, or router and shared experts
  double experts = 0;  // routed experts
  double norms = 0;
};
LayerParameters layer_parameters(const ModelSpec& model, std::int64_t layer);

}  // namespace mlosim::graph
