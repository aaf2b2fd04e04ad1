#include "models/import/hf_keys.hpp"

#include <fmt/format.h>

#include <array>

namespace mlosim::import {
namespace {

struct Mechanism {
  std::string_view key;
  std::string_view what;
};

// Present and saying something, these change the operators or their shapes.
constexpr std::array kRefused{
    Mechanism{"hybrid_override_pattern", "a pattern of state-space layers"},
    Mechanism{"layers_block_type", "layers of other kinds, such as state-space ones"},
    Mechanism{"block_configs", "layers of different widths"},
    Mechanism{"compress_ratios", "compressed attention"},
    Mechanism{"hc_mult", "hyper-connections"},
    Mechanism{"o_lora_rank", "a compressed output projection"},
    Mechanism{"linear_attn_config", "Kimi's linear attention"},
    Mechanism{"sparse_attention_config", "block-sparse attention"},
    Mechanism{"moe_latent_size", "experts in a latent space"},
    Mechanism{"routed_expert_hidden_size", "experts in a latent space"},
    Mechanism{"num_global_key_value_heads", "global layers with other key-value heads"},
    Mechanism{"attention_k_eq_v", "keys that are values too"},
    Mechanism{"enable_moe_block", "an FFN and experts side by side"},
    Mechanism{"num_kv_shared_layers", "layers that share a KV cache"},
    Mechanism{"hidden_size_per_layer_input", "embeddings for each layer"},
    Mechanism{"add_cross_attention", "cross-attention in a decoder"},
    Mechanism{"mla_use_output_gate", "latent attention with an output gate"},
};

// Harmless where the second key says the same.
struct Equality {
  std::string_view key, other, what;
};
constexpr std::array kMustEqual{
    Equality{"global_head_dim", "head_dim", "global layers with other heads"},
    Equality{"swa_head_dim", "head_dim", "windowed layers with other heads"},
    Equality{"swa_v_head_dim", "v_head_dim", "windowed layers with other heads"},
    Equality{"swa_num_attention_heads", "num_attention_heads", "windowed layers with another number of heads"},
};

// Lists whose every item must be this.
struct Uniform {
  std::string_view key, item, what;
};
constexpr std::array kMustBeUniform{
    Uniform{"attn_type_list", "1", "layers without softmax attention"},
    Uniform{"indexer_types", "full", "layers that share an indexer's choice"},
};

void refuse(const spec::Node& node, std::string_view key, std::string_view what) {
  node.fail_at(key, fmt::format("'{}' means {}, which is not modelled", key, what),
               "describe a model of a kind that is (models/graph/README.md)");
}

bool is_uniform(const spec::Value& list, std::string_view item) {
  for (const spec::Value& value : list.items) {
    if (value.text != item) return false;
  }
  return true;
}

}  // namespace

std::optional<std::string_view> first_present(const spec::Node& node, Keys keys) {
  for (const std::string_view key : keys) {
    if (!node.has(key)) continue;
    if (node.value()->find(key)->kind != spec::Value::Kind::null) return key;
  }
  return std::nullopt;
}

std::int64_t count_of(spec::Node& node, Keys keys, std::int64_t fallback, std::int64_t least) {
  const auto key = first_present(node, keys);
  return key ? node.child(*key).as_count(least) : fallback;
}

std::int64_t require_count_of(spec::Node& node, Keys keys) {
  const auto key = first_present(node, keys);
  return node.require_count(key.value_or(*keys.begin()));
}

bool is_active(const spec::Node& node, std::string_view key) {
  if (!first_present(node, {key})) return false;
  const spec::Value& value = *node.value()->find(key);
  if (value.is_scalar())
    return value.text != "false" && value.text != "0" && value.text != "0.0" && !value.text.empty();
  return !value.items.empty() || !value.members.empty();
}

bool refuse_unknown_mechanisms(spec::Node& node) {
  bool any = false;
  const auto report = [&](std::string_view key, std::string_view what) {
    refuse(node, key, what);
    any = true;
  };
  for (const Mechanism& mechanism : kRefused) {
    if (is_active(node, mechanism.key)) report(mechanism.key, mechanism.what);
  }
  for (const Equality& pair : kMustEqual) {
    if (!is_active(node, pair.key) || !node.has(pair.other)) continue;
    if (node.value()->find(pair.key)->text != node.value()->find(pair.other)->text) report(pair.key, pair.what);
  }
  for (const Uniform& list : kMustBeUniform) {
    if (is_active(node, list.key) && !is_uniform(*node.value()->find(list.key), list.item)) report(list.key, list.what);
  }
  return any;
}

}  // namespace mlosim::import
