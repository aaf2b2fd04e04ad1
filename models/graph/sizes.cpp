// Sizes that no network has: slips of the pen, whose products would leave 64 bits.
#include <fmt/format.h>

#include <initializer_list>

#include "models/graph/model.hpp"

namespace mlosim::graph {
namespace {

constexpr std::int64_t kLargestWidth = 100'000'000;  // of a matrix; products of two are formed
constexpr std::int64_t kLargestCount = 100'000;      // of layers, and of what is multiplied three times

}  // namespace

void check_sizes(const spec::Node& node, ModelSpec& m) {
  const auto check = [&](std::int64_t largest, std::string_view key, std::initializer_list<std::int64_t*> sizes) {
    for (std::int64_t* size : sizes) {
      if (*size <= largest) continue;
      node.fail_at(key, fmt::format("{} is larger than any network's ({})", *size, largest));
      *size = 1;
    }
  };
  check(kLargestCount, "layers", {&m.layers, &m.encoder_layers});
  check(kLargestWidth, "hidden", {&m.hidden});
  check(kLargestWidth, "heads", {&m.heads, &m.kv_heads});
  check(kLargestWidth, "head_dim", {&m.head_dim, &m.v_head_dim});
  check(kLargestWidth, "ffn", {&m.ffn});
  check(kLargestWidth, "vocab", {&m.vocab, &m.token_types, &m.classes});
  check(kLargestCount, "image", {&m.image, &m.patch, &m.channels});
  check(kLargestCount * kLargestCount, "positions", {&m.positions});
  if (m.mla) {
    MlaShape& a = *m.mla;
    check(kLargestWidth, "attention", {&a.q_rank, &a.kv_rank, &a.nope_dim, &a.rope_dim, &a.v_dim});
    if (a.indexer) check(kLargestWidth, "attention", {&a.indexer->heads, &a.indexer->dim, &a.indexer->topk});
  }
  if (m.linear) {
    LinearAttentionShape& a = *m.linear;
    check(kLargestCount, "attention", {&a.key_heads, &a.value_heads, &a.key_dim, &a.value_dim, &a.conv});
  }
  if (m.moe) {
    MoeShape& e = *m.moe;
    check(kLargestWidth, "moe",
          {&e.experts, &e.experts_per_token, &e.expert_ffn, &e.shared_experts, &e.shared_expert_ffn});
  }
}

}  // namespace mlosim::graph
