// Multi-head latent attention as DeepSeek-V3 serves it: prefill expands the latent to keys and values of every head
// (kv_b), decode folds that matrix into the queries and the output instead (absorb_q, absorb_v) and reads the latent
// alone. With an indexer (DeepSeek-V3.2, GLM-5) and more context than it keeps, both work absorbed on the kept tokens.
// The indexer is the same on every tensor-parallel rank, as its published code has it.
#include "models/graph/attention_nodes.hpp"

namespace mlosim::graph {
namespace {

using work::ElementwiseKind;

bool is_sparse(const StepContext& step) {
  const auto& indexer = step.model.mla->indexer;
  return indexer && step.context > indexer->topk;
}

void add_query_and_latent(const StepContext& step, Nodes& nodes) {
  const ModelSpec& m = step.model;
  const MlaShape& a = *m.mla;
  const std::int64_t latent = a.kv_rank + a.rope_dim, queries = m.heads * (a.nope_dim + a.rope_dim);
  const bool compressed = a.q_rank > 0;
  nodes.push_back(linear_node(step, {.name = compressed ? "attention.qkv_a" : "attention.kv_a",
                                     .rows = step.tokens(),
                                     .outputs = a.q_rank + latent,
                                     .inputs = m.hidden}));
  nodes.back().kv_columns = latent;
  nodes.push_back(pass_node(step, {.name = "attention.latent_norm",
                                   .kind = ElementwiseKind::rmsnorm,
                                   .rows = step.tokens(),
                                   .cols = a.q_rank + a.kv_rank}));
  nodes.push_back(linear_node(step, {.name = compressed ? "attention.q_b" : "attention.q",
                                     .rows = step.tokens(),
                                     .outputs = queries,
                                     .inputs = compressed ? a.q_rank : m.hidden,
                                     .partition = Partition::column}));
  if (step.options.fuses_rope) return;
  nodes.push_back(pass_node(step, {.name = "attention.rope",
                                   .kind = ElementwiseKind::rope,
                                   .rows = step.tokens() * (m.heads + 1),
                                   .cols = a.rope_dim,
                                   .partition = Partition::heads}));
  if (step.training) return;
  nodes.push_back({.name = "attention.kv_append",
                   .op = work::make_elementwise(ElementwiseKind::copy, step.tokens(), latent, step.precision.compute,
                                                step.precision.kv_cache)});
}

// Scores without values: an attention whose keys and values are half as wide costs the same products and bytes.
work::Operator index_scores(const StepContext& step, const IndexerShape& indexer) {
  const std::int64_t half = (indexer.dim + 1) / 2;
  if (step.decode) {
    return work::AttentionDecode{.batch = step.batch,
                                 .seq_kv = step.context,
                                 .heads = indexer.heads,
                                 .kv_heads = 1,
                                 .head_dim = half,
                                 .dtype = step.precision.compute,
                                 .kv_dtype = step.precision.kv_cache};
  }
  return work::AttentionPrefill{.batch = step.batch,
                                .seq_q = step.new_tokens,
                                .seq_kv = step.context,
                                .heads = indexer.heads,
                                .kv_heads = 1,
                                .head_dim = half,
                                .value_dim = half,
                                .dtype = step.precision.compute,
                                .kv_dtype = step.precision.kv_cache};
}

void add_indexer(const StepContext& step, const IndexerShape& indexer, Nodes& nodes) {
  const ModelSpec& m = step.model;
  nodes.push_back(unquantised_node(step, {.name = "attention.index_k",
                                          .rows = step.tokens(),
                                          .outputs = indexer.dim + indexer.heads,
                                          .inputs = m.hidden}));
  if (!is_sparse(step)) return;  // every token is kept
  nodes.push_back(unquantised_node(step, {.name = "attention.index_q",
                                          .rows = step.tokens(),
                                          .outputs = indexer.heads * indexer.dim,
                                          .inputs = m.mla->q_rank}));
  nodes.push_back({.name = "attention.index_scores", .op = index_scores(step, indexer)});
  nodes.push_back({.name = "attention.index_topk",
                   .op = work::make_elementwise(ElementwiseKind::topk_router, step.tokens(), step.context,
                                                work::DType::fp32, work::DType::fp32)});
}

void add_expanded(const StepContext& step, Nodes& nodes) {
  const ModelSpec& m = step.model;
  const MlaShape& a = *m.mla;
  nodes.push_back(linear_node(step, {.name = "attention.kv_b",
                                     .rows = step.training ? step.tokens() : step.batch * step.gathered_tokens(),
                                     .outputs = m.heads * (a.nope_dim + a.v_dim),
                                     .inputs = a.kv_rank,
                                     .partition = Partition::column}));
  nodes.push_back({.name = "attention.core",
                   .op = work::MlaPrefill{.batch = step.batch,
                                          .seq_q = step.new_tokens,
                                          .seq_kv = step.context,
                                          .heads = m.heads,
                                          .kv_rank = a.kv_rank,
                                          .nope_dim = a.nope_dim,
                                          .rope_dim = a.rope_dim,
                                          .value_dim = a.v_dim,
                                          .dtype = step.precision.compute,
                                          .kv_dtype = step.training ? step.precision.compute : step.precision.kv_cache,
                                          .appends = !step.training},
                   .partition = Partition::heads});
}

work::Operator absorbed_core(const StepContext& step) {
  const ModelSpec& m = step.model;
  const MlaShape& a = *m.mla;
  const std::int64_t topk = is_sparse(step) ? a.indexer->topk : 0;
  if (step.decode) {
    return work::MlaDecode{.batch = step.batch,
                           .seq_kv = topk > 0 ? topk : step.context,
                           .heads = m.heads,
                           .kv_rank = a.kv_rank,
                           .rope_dim = a.rope_dim,
                           .dtype = step.precision.compute,
                           .kv_dtype = step.precision.kv_cache};
  }
  return work::MlaPrefill{.batch = step.batch,
                          .seq_q = step.new_tokens,
                          .seq_kv = step.context,
                          .heads = m.heads,
                          .kv_rank = a.kv_rank,
                          .nope_dim = a.nope_dim,
                          .rope_dim = a.rope_dim,
                          .value_dim = a.v_dim,
                          .absorbed = true,
                          .window = topk,
                          .dtype = step.precision.compute,
                          .kv_dtype = step.precision.kv_cache};
}

void add_absorbed(const StepContext& step, Nodes& nodes) {
  const ModelSpec& m = step.model;
  const MlaShape& a = *m.mla;
  nodes.push_back(batched_node(step, "attention.absorb_q",
                               {.m = step.tokens(), .n = a.kv_rank, .k = a.nope_dim, .batch = m.heads}));
  nodes.push_back(
      {.name = "attention.core", .op = absorbed_core(step), .partition = Partition::heads, .attends = true});
  nodes.push_back(
      batched_node(step, "attention.absorb_v", {.m = step.tokens(), .n = a.v_dim, .k = a.kv_rank, .batch = m.heads}));
}

}  // namespace

void add_latent_attention(const StepContext& step, Nodes& nodes) {
  const ModelSpec& m = step.model;
  add_query_and_latent(step, nodes);
  // Indexers are trained at the end, beside frozen weights: training proper sees all tokens.
  if (m.mla->indexer && !step.training) add_indexer(step, *m.mla->indexer, nodes);
  if (step.decode || (is_sparse(step) && !step.training)) {
    add_absorbed(step, nodes);
  } else {
    add_expanded(step, nodes);
  }
  nodes.push_back(linear_node(step, {.name = "attention.out",
                                     .rows = step.tokens(),
                                     .outputs = m.hidden,
                                     .inputs = m.heads * m.mla->v_dim,
                                     .partition = Partition::row}));
}

}  // namespace mlosim::graph
