#include <fmt/format.h>

#include <algorithm>

#include "models/graph/decode_attention.hpp"
#include "models/graph/model.hpp"
#include "sim/spec/spelling.hpp"

namespace mlosim::graph {
namespace {

// A width of 0 stands for "none is needed"; what needs one asks for it.
std::int64_t count_if(spec::Node& node, std::string_view key, bool needed) {
  return needed ? node.require_count(key) : node.count_or(key, 0);
}

MoeShape decode_moe(spec::Node node, const ModelSpec& model) {
  MoeShape moe;
  moe.experts = node.require_count("experts");
  moe.experts_per_token = node.require_count("experts_per_token");
  moe.expert_ffn = model.ffn > 0 ? node.count_or("expert_ffn", model.ffn) : node.require_count("expert_ffn");
  moe.shared_experts = node.count_or("shared_experts", 0, 0);
  moe.shared_expert_ffn = node.count_or("shared_expert_ffn", moe.expert_ffn);
  moe.dense_layers = node.count_or("dense_layers", 0, 0);
  moe.every = node.count_or("every", 1);
  if (moe.experts_per_token > moe.experts) {
    node.fail_at("experts_per_token",
                 fmt::format("a token cannot choose {} of {} experts", moe.experts_per_token, moe.experts));
  }
  if (moe.dense_layers + moe.every > model.layers) {
    node.fail_at(moe.dense_layers > 0 ? "dense_layers" : "every",
                 fmt::format("no layer of {} is left for the experts", model.layers),
                 "leave 'moe' out for a dense model");
  }
  if (model.ffn == 0 && (moe.dense_layers > 0 || moe.every > 1)) {
    node.fail("some layers are dense, but the model has no 'ffn'", "give the width of the dense layers as 'ffn'");
  }
  node.finish();
  return moe;
}

void decode_heads(spec::Node& node, ModelSpec& m) {
  m.hidden = node.require_count("hidden");
  m.heads = node.require_count("heads");
  m.kv_heads = node.count_or("kv_heads", m.heads);
  if (m.heads % m.kv_heads != 0) {
    node.fail_at("kv_heads", fmt::format("{} heads cannot be shared evenly by {} KV heads", m.heads, m.kv_heads),
                 fmt::format("write a divisor of {}", m.heads));
    m.kv_heads = m.heads;
  }
  const bool given = node.has("head_dim");
  m.head_dim = node.count_or("head_dim", std::max<std::int64_t>(1, m.hidden / m.heads));
  m.v_head_dim = node.count_or("v_head_dim", m.head_dim);
  decode_attention(node.child("attention"), m);
  if (m.mla) {
    if (node.has("v_head_dim"))
      node.fail_at("v_head_dim", "has no meaning with latent attention", "write attention: {mla: {v_dim: …}}");
    if (given && m.head_dim != m.mla->nope_dim + m.mla->rope_dim) {
      node.warn(fmt::format("head_dim {} is not used: latent attention has heads of nope_dim + rope_dim = {}",
                            m.head_dim, m.mla->nope_dim + m.mla->rope_dim));
    }
    m.head_dim = m.mla->nope_dim + m.mla->rope_dim;
    m.v_head_dim = m.mla->v_dim;
    m.kv_heads = m.heads;
  } else if (!given && m.hidden % m.heads != 0) {
    node.fail_at("heads", fmt::format("hidden {} cannot be divided by {} heads", m.hidden, m.heads), "give 'head_dim'");
  }
}

void decode_ends(spec::Node& node, ModelSpec& m) {
  m.image = node.count_or("image", 0);
  m.patch = count_if(node, "patch", m.image > 0);
  m.channels = node.count_or("channels", m.channels);
  if (m.image > 0 && m.image % m.patch != 0)
    node.fail_at("patch", fmt::format("an image of {} is not made of patches of {}", m.image, m.patch));
  if (m.image > 0 && m.architecture != Architecture::encoder)
    node.fail_at("image", "only an encoder reads images", "write 'architecture: encoder'");
  m.vocab = count_if(node, "vocab", m.image == 0);
  m.positions = node.count_or("positions", 0, 0);
  m.token_types = node.count_or("token_types", 0, 0);
  m.classes = node.count_or("classes", 0, 0);
  if (m.classes > 0 && m.architecture != Architecture::encoder) {
    node.fail_at("classes", "only an encoder has a classification head", "write 'architecture: encoder'");
  }
  m.tied_embeddings = node.flag_or("tied_embeddings", false);
}

void decode_form(spec::Node& node, ModelSpec& m) {
  m.gated = node.flag_or("gated", true);
  m.activation = node.word_or<Activation>(
      "activation", {{"gelu", Activation::gelu}, {"relu", Activation::relu}, {"silu", Activation::silu}},
      m.gated ? Activation::silu : Activation::gelu);
  m.biases = node.word_or<Biases>("biases", {{"false", Biases::none}, {"true", Biases::all}, {"qkv", Biases::qkv}},
                                  Biases::none);
  m.rms_norm = node.word_or<int>("norm", {{"rms", 1}, {"layer", 0}}, 1) == 1;
  m.qk_norm = node.flag_or("qk_norm", false);
  m.output_gate = node.flag_or("output_gate", false);
  m.parallel_block = node.flag_or("parallel_block", false);
  m.norms_per_layer = node.count_or("norms_per_layer", 2);
  const bool sensible = m.norms_per_layer == 2 || (m.norms_per_layer == 1 && m.parallel_block) ||
                        (m.norms_per_layer == 4 && !m.parallel_block);
  if (!sensible) {
    node.fail_at("norms_per_layer", fmt::format("a layer cannot have {} norms", m.norms_per_layer),
                 "2, or 4 (norms before and after), or 1 in a parallel block");
  }
}

void check_architecture(const spec::Node& node, const ModelSpec& m) {
  if (m.architecture == Architecture::decoder) return;
  if (m.mla || m.linear) node.fail_at("attention", "latent and linear attention are modelled in decoders alone");
  if (m.moe) node.fail_at("moe", "experts are modelled in decoders alone");
  if (m.parallel_block) node.fail_at("parallel_block", "parallel blocks are modelled in decoders alone");
}

}  // namespace

bool ModelSpec::layer_is_moe(std::int64_t layer) const {
  if (!moe || layer < moe->dense_layers) return false;
  return (layer - moe->dense_layers + 1) % moe->every == 0;
}

ModelSpec decode_model(spec::Node node) {
  ModelSpec m;
  if (node.has("schema")) node.expect_schema("mlosim/model/1");
  m.name = node.text_or("name", "inline model");
  node.text_or("source", "");
  m.architecture = node.word_or<Architecture>("architecture",
                                              {{"decoder", Architecture::decoder},
                                               {"encoder", Architecture::encoder},
                                               {"encoder_decoder", Architecture::encoder_decoder}},
                                              Architecture::decoder);
  m.layers = node.require_count("layers");
  if (m.architecture == Architecture::encoder_decoder) m.encoder_layers = node.require_count("encoder_layers");
  check_sizes(node, m);  // layers are listed next
  decode_heads(node, m);
  decode_form(node, m);
  decode_ends(node, m);
  spec::Node moe = node.child("moe");
  m.ffn = count_if(node, "ffn", !moe.is_present());
  if (moe.is_present()) m.moe = decode_moe(moe, m);
  m.quantises_experts_only = node.word_or<int>("quantised", {{"all", 0}, {"experts", 1}}, 0) == 1;
  if (m.quantises_experts_only && !m.moe) node.fail_at("quantised", "a model without 'moe' has no experts to quantise");
  if (spec::Node dtype = node.child("weights_dtype"); dtype.is_present()) {
    const std::string word = dtype.as_text();
    std::vector<std::string> names;
    for (const auto& [name, value] : work::kDTypeNames) {
      names.emplace_back(name);
      if (name == word) m.weights_dtype = value;
    }
    if (!m.weights_dtype) dtype.fail(fmt::format("unknown format '{}'", word), spec::spelling_hint(word, names));
  }
  check_architecture(node, m);
  check_sizes(node, m);
  node.finish();
  return m;
}

}  // namespace mlosim::graph
