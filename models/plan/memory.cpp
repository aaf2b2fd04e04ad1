#include "models/plan/memory.hpp"

#include <algorithm>

#include "models/plan/inference_stages.hpp"

namespace mlosim::plan {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

// Parameters of a stage that has `layers` layers from the `first` on. An encoder-decoder has one stage.
graph::ParameterCount parameters_of_stage(const graph::ModelSpec& model, std::int64_t first, std::int64_t layers) {
  graph::ParameterCount count = graph::count_parameters(model);
  if (layers == model.layers) return count;
  graph::ParameterCount stage;
  const bool is_last = first + layers == model.layers;
  if (first == 0) stage.embedding = count.embedding;
  if (is_last) stage.head = model.tied_embeddings ? count.embedding : count.head;
  for (std::int64_t layer = first; layer < first + layers; ++layer) {
    const graph::LayerParameters own = graph::layer_parameters(model, layer);
    stage.attention += own.attention;
    stage.ffn += own.ffn;
    stage.experts += own.experts;
    stage.norms += own.norms;
  }
  return stage;
}

// Weights of one rank: matrices are cut over tp (experts over ep·moe_tp) and stored as `weights`; embedding, head and
// norms stay in `compute`. Latent projections of MLA that are not cut per head are counted as if they were: under 1 %.
Bytes weights_of_rank(const graph::ModelSpec& model, const graph::ParameterCount& count, const Parallelism& p,
                      const graph::Precision& precision) {
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
  plan.sequences = (batch + p.dp * p.attention_dp - 1) / (p.dp * p.attention_dp);
  // A latent (MLA) is kept whole on every rank; heads are spread as far as they go.
  const std::int64_t ways = model.mla ? 1 : std::min(p.tp, model.kv_heads);
  std::int64_t first = 0;
  for (const std::int64_t layers : layers_of_stages(model.layers, p.pp)) {
    const Bytes weights = weights_of_rank(model, parameters_of_stage(model, first, layers), p, precision);
    Bytes per_sequence;
    for (std::int64_t layer = first; layer < first + layers; ++layer)
      per_sequence += graph::layer_kv_cache_bytes(model, layer, context, precision.kv_cache);
    per_sequence = per_sequence / d(ways * p.cp);
    first += layers;
    if (weights + d(plan.sequences) * per_sequence < plan.weights + plan.kv_cache) continue;
    plan.weights = weights;
    plan.per_sequence = per_sequence;
    plan.kv_cache = d(plan.sequences) * per_sequence;
  }
  const Bytes wide = work::bytes_per_element(precision.compute);
  plan.activations = d(step_tokens) * (2 * d(model.hidden) + widest(model, p)) * wide +
                     d(MicroBatches::of(plan.sequences, p.pp).size) * d(model.vocab) * Bytes(4);
  plan.workspace = runtime.context_memory;
  plan.capacity = usable * (1 - runtime.reserved_memory);
  return plan;
}

}  // namespace mlosim::plan
