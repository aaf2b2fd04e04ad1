#include <algorithm>

#include "models/graph/graph.hpp"

namespace mlosim::graph {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

Bytes of_kind(const ModelSpec& m, const AttentionKind& kind, std::int64_t context, Bytes element) {
  if (kind.linear) {
    const Bytes last_inputs =
        d((m.linear->conv - 1) * m.linear->convolved()) * work::bytes_per_element(work::DType::bf16);
    return d(m.linear->state()) * work::bytes_per_element(work::DType::fp32) + last_inputs;
  }
  if (m.mla) {
    const std::int64_t index = m.mla->indexer ? m.mla->indexer->dim : 0;
    return d(context) * d(m.mla->kv_rank + m.mla->rope_dim + index) * element;
  }
  const std::int64_t kept = kind.window > 0 ? std::min(kind.window, context) : context;
  return d(kept) * d(m.kv_heads_of(kind)) * d(m.head_dim + m.v_head_dim) * element;
}

}  // namespace

Bytes layer_kv_cache_bytes(const ModelSpec& model, std::int64_t layer, std::int64_t context, work::DType kv_cache) {
  if (model.architecture == Architecture::encoder) return Bytes(0);
  return of_kind(model, model.layer_attention(layer), context, work::bytes_per_element(kv_cache));
}

Bytes kv_cache_bytes(const ModelSpec& model, std::int64_t context, work::DType kv_cache) {
  Bytes sum;
  for (std::int64_t layer = 0; layer < model.layers; ++layer)
    sum += layer_kv_cache_bytes(model, layer, context, kv_cache);
  return sum;
}

}  // namespace mlosim::graph
