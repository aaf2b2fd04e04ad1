#include <fmt/format.h>

#include "models/import/hf_keys.hpp"
#include "models/import/hf_layers.hpp"

namespace mlosim::import {
namespace {

using graph::AttentionKind;
using Pattern = std::vector<AttentionKind>;

// Llama 4 alternates with layers that see all where its config.json does not say how often.
constexpr std::int64_t kNoRopeInterval = 4;
constexpr std::int64_t kGemma3Period = 6;

Pattern periodic(const AttentionKind& other, std::int64_t every, std::int64_t layers) {
  if (every > layers) return {other};
  Pattern pattern(static_cast<std::size_t>(every), other);
  if (every > 1) pattern.back() = AttentionKind{};
  return pattern;
}

graph::MlaShape import_mla(spec::Node& node) {
  graph::MlaShape mla;
  mla.q_rank = count_of(node, {"q_lora_rank"}, 0);
  mla.kv_rank = node.require_count("kv_lora_rank");
  mla.nope_dim = node.require_count("qk_nope_head_dim");
  mla.rope_dim = node.require_count("qk_rope_head_dim");
  mla.v_dim = node.require_count("v_head_dim");
  if (is_active(node, "index_topk")) {
    if (mla.q_rank == 0)
      node.fail_at("index_topk", "an indexer reads the compressed queries, but 'q_lora_rank' is missing");
    mla.indexer = graph::IndexerShape{.heads = node.require_count("index_n_heads"),
                                      .dim = node.require_count("index_head_dim"),
                                      .topk = node.require_count("index_topk")};
  }
  return mla;
}

graph::LinearAttentionShape import_linear(spec::Node& node) {
  const graph::LinearAttentionShape linear{.key_heads = node.require_count("linear_num_key_heads"),
                                           .value_heads = node.require_count("linear_num_value_heads"),
                                           .key_dim = node.require_count("linear_key_head_dim"),
                                           .value_dim = node.require_count("linear_value_head_dim"),
                                           .conv = node.require_count("linear_conv_kernel_dim")};
  if (linear.value_heads % linear.key_heads != 0) {
    node.fail_at("linear_num_value_heads", fmt::format("{} value heads cannot be shared evenly by {} key heads",
                                                       linear.value_heads, linear.key_heads));
  }
  return linear;
}

AttentionKind windowed(spec::Node& node, const graph::ModelSpec& model) {
  AttentionKind kind{.window = require_count_of(node, {"sliding_window", "attention_chunk_size"})};
  if (!is_active(node, "swa_num_key_value_heads")) return kind;
  const std::int64_t kv_heads = node.require_count("swa_num_key_value_heads");
  if (model.heads % kv_heads == 0) {
    kind.kv_heads = kv_heads;
  } else {
    node.fail_at("swa_num_key_value_heads",
                 fmt::format("{} heads cannot be shared evenly by {} KV heads", model.heads, kv_heads));
  }
  return kind;
}

// One item for each layer, named by `words`.
Pattern listed(spec::Node& node, std::string_view key, const graph::ModelSpec& model) {
  Pattern pattern;
  for (const spec::Node& item : node.child(key).items()) {
    const std::string word = item.as_text();
    if (word == "full_attention" || word == "0") {
      pattern.push_back({});
    } else if (word == "sliding_attention" || word == "chunked_attention" || word == "1") {
      pattern.push_back(windowed(node, model));
    } else if (word == "linear_attention" && model.linear) {
      pattern.push_back({.linear = true});
    } else {
      item.fail(fmt::format("layers of kind '{}' are not modelled", word));
    }
  }
  if (static_cast<std::int64_t>(pattern.size()) == model.layers) return pattern;
  node.fail_at(key, fmt::format("{} layers are listed, but there are {}", pattern.size(), model.layers));
  return {{}};
}

Pattern by_rule(spec::Node& node, const Family& family, const graph::ModelSpec& model) {
  switch (family.window) {
    case WindowRule::all:
      return {windowed(node, model)};
    case WindowRule::alternate:
      return periodic(windowed(node, model), 2, model.layers);
    case WindowRule::sixth:
      return periodic(windowed(node, model), count_of(node, {"sliding_window_pattern"}, kGemma3Period, 1),
                      model.layers);
    case WindowRule::on_request:
      break;
  }
  if (!is_active(node, "use_sliding_window")) return {{}};
  Pattern pattern(static_cast<std::size_t>(model.layers), AttentionKind{});
  const std::int64_t first = count_of(node, {"max_window_layers"}, 0);
  for (std::int64_t layer = first; layer < model.layers; ++layer)
    pattern[static_cast<std::size_t>(layer)] = windowed(node, model);
  return pattern;
}

Pattern import_pattern(spec::Node& node, const Family& family, const graph::ModelSpec& model) {
  if (is_active(node, "layer_types")) return listed(node, "layer_types", model);
  if (is_active(node, "hybrid_layer_pattern")) return listed(node, "hybrid_layer_pattern", model);
  if (is_active(node, "sliding_window")) return by_rule(node, family, model);
  if (is_active(node, "attention_chunk_size")) {
    return periodic(windowed(node, model), count_of(node, {"no_rope_layer_interval"}, kNoRopeInterval, 1),
                    model.layers);
  }
  if (is_active(node, "linear_num_value_heads")) {
    return periodic({.linear = true}, require_count_of(node, {"full_attention_interval"}), model.layers);
  }
  return {{}};
}

}  // namespace

void import_attention(spec::Node& node, const Family& family, graph::ModelSpec& model) {
  if (is_active(node, "kv_lora_rank")) {
    model.mla = import_mla(node);
    model.kv_heads = model.heads;
    model.head_dim = model.mla->nope_dim + model.mla->rope_dim;
    model.v_head_dim = model.mla->v_dim;
    return;
  }
  if (is_active(node, "index_topk"))
    node.fail_at("index_topk", "a sparse attention's indexer is modelled with latent attention alone");
  if (is_active(node, "linear_num_value_heads")) model.linear = import_linear(node);
  model.pattern = import_pattern(node, family, model);
}

}  // namespace mlosim::import
