#include "models/plan/memory.hpp"

#include <algorithm>

namespace mlosim::plan {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

// Weights of one rank: matrices are cut over tp (experts over ep·moe_tp) and stored as `weights`; embedding, head and
// norms stay in `compute`. Latent projections of MLA that are not cut per head are counted as if they were: under 1 %.
Bytes weights_of_rank(const graph::ModelSpec& model, const Parallelism& p, const graph::Precision& precision) {
  const graph::ParameterCount count = graph::count_parameters(model);
  const Bytes matrix = work::bytes_per_element(precision.weights), wide = work::bytes_per_element(precision.compute);
  const Bytes dense = model.quantises_experts_only ? wide : matrix;
  return (count.attention + count.ffn) / d(p.tp) * dense + count.experts / d(p.ep * p.moe_tp) * matrix +
         (count.embedding + count.head) / d(p.tp) * wide + count.norms * wide;
}

// Widest activation of a layer, in elements per token, on one rank.
double widest(const graph::ModelSpec& model, const Parallelism& p) {
  const double queries = d(model.heads) * d(std::max(model.head_dim, model.v_head_dim)) / d(p.tp);
  const double dense = (model.gated ? 2 : 1) * d(model.ffn) / d(p.tp);
  const double experts = model.moe ? (model.gated ? 2 : 1) * d(model.moe->expert_ffn) *
                                         d(model.moe->experts_per_token) / d(p.ep * p.moe_tp)
                                   : 0;
  return std::max({3 * queries, dense, experts});
}

}  // namespace

MemoryPlan plan_inference_memory(const graph::ModelSpec& model, const Parallelism& p, const graph::Precision& precision,
                                 std::int64_t batch, std::int64_t context, std::int64_t step_tokens, Bytes usable,
                                 const spec::RuntimeSpec& runtime) {
  MemoryPlan plan;
  plan.weights = weights_of_rank(model, p, precision);
  plan.sequences = (batch + p.dp * p.attention_dp - 1) / (p.dp * p.attention_dp);
  // A latent (MLA) is kept whole on every rank; heads are spread as far as they go.
  const std::int64_t ways = model.mla ? 1 : std::min(p.tp, model.kv_heads);
  plan.per_sequence = graph::kv_cache_bytes(model, context, precision.kv_cache) / d(ways);
  plan.kv_cache = d(plan.sequences) * plan.per_sequence;
  const Bytes wide = work::bytes_per_element(precision.compute);
  plan.activations =
      d(step_tokens) * (2 * d(model.hidden) + widest(model, p)) * wide + d(plan.sequences) * d(model.vocab) * Bytes(4);
  plan.workspace = runtime.context_memory;
  plan.capacity = usable * (1 - runtime.reserved_memory);
  return plan;
}

}  // namespace mlosim::plan
