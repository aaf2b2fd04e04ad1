#include <fmt/format.h>

#include "models/import/hf_keys.hpp"
#include "models/import/hf_layers.hpp"

namespace mlosim::import {
namespace {

// A list with one item for each layer must begin with dense layers and go on with experts alone.
std::int64_t leading_dense(spec::Node& node, std::string_view key, std::string_view dense, std::int64_t layers) {
  std::int64_t count = 0, seen = 0;
  for (const spec::Node& item : node.child(key).items()) {
    const bool is_dense = item.as_text() == dense;
    if (is_dense && count < seen) {
      item.fail("a dense layer after one with experts is not modelled");
      return 0;
    }
    count += is_dense ? 1 : 0;
    ++seen;
  }
  if (seen != layers) node.fail_at(key, fmt::format("{} layers are listed, but there are {}", seen, layers));
  return count;
}

std::int64_t import_dense_layers(spec::Node& node, const graph::ModelSpec& model) {
  if (node.child("moe_layer_freq").is_sequence()) return leading_dense(node, "moe_layer_freq", "0", model.layers);
  if (is_active(node, "mlp_layer_types")) return leading_dense(node, "mlp_layer_types", "dense", model.layers);
  if (is_active(node, "mlp_only_layers")) {
    std::int64_t next = 0;
    for (const spec::Node& item : node.child("mlp_only_layers").items()) {
      if (item.as_count(0) != next++) item.fail("a dense layer after one with experts is not modelled");
    }
    return next;
  }
  return count_of(node, {"first_k_dense_replace"}, 0);
}

void import_shared_experts(spec::Node& node, const Family& family, graph::MoeShape& moe) {
  moe.shared_experts = count_of(node, {"n_shared_experts", "num_shared_experts"}, family.shared_experts);
  moe.shared_expert_ffn = moe.expert_ffn;
  for (const std::string_view key :
       {"shared_expert_intermediate_size", "shared_intermediate_size", "share_expert_dim"}) {
    if (!is_active(node, key)) continue;
    moe.shared_expert_ffn = node.require_count(key);
    if (moe.shared_experts == 0) moe.shared_experts = 1;
  }
}

}  // namespace

void import_experts(spec::Node& node, const Family& family, graph::ModelSpec& model) {
  const std::int64_t experts = count_of(node, {"n_routed_experts", "num_experts", "num_local_experts"}, 0);
  if (experts == 0) return;
  graph::MoeShape moe;
  moe.experts = experts;
  moe.experts_per_token =
      require_count_of(node, {"num_experts_per_tok", "experts_per_token", "num_experts_per_token", "top_k_experts"});
  if (moe.experts_per_token > experts)
    node.fail(fmt::format("a token cannot choose {} of {} experts", moe.experts_per_token, experts));
  moe.expert_ffn = require_count_of(node, {"moe_intermediate_size", "intermediate_size"});
  import_shared_experts(node, family, moe);
  moe.dense_layers = import_dense_layers(node, model);
  const bool listed = node.child("moe_layer_freq").is_sequence();
  moe.every = listed ? 1 : count_of(node, {"interleave_moe_layer_step", "decoder_sparse_step", "moe_layer_freq"}, 1, 1);
  if (moe.dense_layers + moe.every > model.layers) {
    node.fail(fmt::format("no layer of {} is left for the experts", model.layers));
    return;
  }
  const bool any_dense = moe.dense_layers > 0 || moe.every > 1;
  if (!any_dense) model.ffn = 0;
  if (any_dense && model.ffn == 0) node.fail("some layers are dense, but 'intermediate_size' is missing");
  model.moe = moe;
}

}  // namespace mlosim::import
