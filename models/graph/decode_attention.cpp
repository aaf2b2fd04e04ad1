#include "models/graph/decode_attention.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace mlosim::graph {
namespace {

constexpr const char* kForms = "full, mla, {window: 4096, every: 2}, {mla: {…}} or {linear: {…}}";

// The period of a pattern: at most as many layers as there are.
std::int64_t decode_every(spec::Node& node, std::int64_t layers) {
  const std::int64_t every = node.count_or("every", 1);
  if (every <= layers) return every;
  node.fail_at("every", fmt::format("there are only {} layers", layers),
               "leave 'every' out where no layer sees all tokens");
  return 1;
}

// Of each `every` layers the last is full, the others are `other`; every 1: all are `other`.
std::vector<AttentionKind> periodic(const AttentionKind& other, std::int64_t every) {
  std::vector<AttentionKind> pattern(static_cast<std::size_t>(every), other);
  if (every > 1) pattern.back() = AttentionKind{};
  return pattern;
}

IndexerShape decode_indexer(spec::Node node) {
  IndexerShape indexer;
  indexer.heads = node.count_or("heads", indexer.heads);
  indexer.dim = node.count_or("dim", indexer.dim);
  indexer.topk = node.count_or("topk", indexer.topk);
  node.finish();
  return indexer;
}

MlaShape decode_mla(spec::Node node) {
  MlaShape mla;
  mla.q_rank = node.count_or("q_rank", mla.q_rank, 0);
  mla.kv_rank = node.count_or("kv_rank", mla.kv_rank);
  mla.nope_dim = node.count_or("nope_dim", mla.nope_dim);
  mla.rope_dim = node.count_or("rope_dim", mla.rope_dim);
  mla.v_dim = node.count_or("v_dim", mla.v_dim);
  if (spec::Node indexer = node.child("indexer"); indexer.is_present()) {
    mla.indexer = decode_indexer(indexer);
    if (mla.q_rank == 0) node.fail_at("indexer", "an indexer reads the compressed queries, but q_rank is 0");
  }
  node.finish();
  return mla;
}

void decode_linear(spec::Node node, ModelSpec& model) {
  LinearAttentionShape linear;
  linear.key_heads = node.require_count("key_heads");
  linear.value_heads = node.require_count("value_heads");
  linear.key_dim = node.count_or("key_dim", linear.key_dim);
  linear.value_dim = node.count_or("value_dim", linear.value_dim);
  linear.conv = node.count_or("conv", linear.conv);
  if (linear.value_heads % linear.key_heads != 0) {
    node.fail_at("value_heads", fmt::format("{} value heads cannot be shared evenly by {} key heads",
                                            linear.value_heads, linear.key_heads));
  }
  const std::int64_t every = decode_every(node, model.layers);
  node.finish();
  model.linear = linear;
  model.pattern = periodic({.linear = true}, every);
}

std::vector<AttentionKind> decode_full_layers(const spec::Node& list, const AttentionKind& windowed,
                                              std::int64_t layers) {
  std::vector<AttentionKind> pattern(static_cast<std::size_t>(layers), windowed);
  spec::Node items = list;
  for (const spec::Node& item : items.items()) {
    const std::int64_t layer = item.as_count(0);
    if (layer >= layers) {
      item.fail(fmt::format("there is no layer {}", layer),
                fmt::format("the last of {} layers is {}", layers, layers - 1));
    } else {
      pattern[static_cast<std::size_t>(layer)] = AttentionKind{};
    }
  }
  return pattern;
}

void decode_window(spec::Node node, ModelSpec& model) {
  AttentionKind windowed{.window = node.require_count("window")};
  if (node.has("window_kv_heads")) windowed.kv_heads = node.child("window_kv_heads").as_count();
  if (windowed.kv_heads && model.heads % *windowed.kv_heads != 0) {
    node.fail_at("window_kv_heads",
                 fmt::format("{} heads cannot be shared evenly by {} KV heads", model.heads, *windowed.kv_heads));
  }
  const bool listed = node.has("full_layers");
  if (listed && node.has("every"))
    node.fail_at("every", "'every' and 'full_layers' say the same thing twice", "write one of them");
  const std::int64_t every = decode_every(node, model.layers);
  model.pattern =
      listed ? decode_full_layers(node.child("full_layers"), windowed, model.layers) : periodic(windowed, every);
  node.finish();
}

// Spellings of published tables.
bool decode_published_text(const std::string& text, ModelSpec& model) {
  long long local = 0, window = 0;
  int end = 0;
  const auto matched = [&](int fields, int expected) {
    return fields == expected && static_cast<std::size_t>(end) == text.size() && window > 0;
  };
  if (matched(std::sscanf(text.c_str(), "alternating sliding window %9lld / full%n", &window, &end), 1)) {
    model.pattern = periodic({.window = window}, 2);
    return true;
  }
  if (matched(std::sscanf(text.c_str(), "%3lld local(%9lld) : 1 global%n", &local, &window, &end), 2) && local > 0) {
    model.pattern = periodic({.window = window}, local + 1);
    return true;
  }
  return false;
}

}  // namespace

void decode_attention(spec::Node node, ModelSpec& model) {
  if (!node.is_present()) return;
  if (node.is_scalar()) {
    const std::string text = node.as_text();
    if (text == "full") return;
    if (text == "mla") {
      model.mla = MlaShape{};
    } else if (!decode_published_text(text, model)) {
      node.fail(fmt::format("unknown attention '{}'", text), fmt::format("write {}", kForms));
    }
    return;
  }
  if (node.has("mla")) {
    model.mla = decode_mla(node.require_mapping("mla"));
    node.finish();
  } else if (node.has("linear")) {
    decode_linear(node.require_mapping("linear"), model);
    node.finish();
  } else if (node.has("window")) {
    decode_window(node, model);
  } else {
    node.fail("no kind of attention is named here", fmt::format("write {}", kForms));
  }
}

}  // namespace mlosim::graph
