#include "models/graph/attention_nodes.hpp"

namespace mlosim::graph {
namespace {

using work::ElementwiseKind;

bool has_rope(const ModelSpec& m) { return m.architecture == Architecture::decoder && m.positions == 0; }

// What comes between the projection and the attention call.
void add_query_key_passes(const StepContext& step, std::int64_t kv_heads, Nodes& nodes) {
  const ModelSpec& m = step.model;
  const std::int64_t heads = m.heads + kv_heads;
  if (m.qk_norm) {
    nodes.push_back(pass_node(step, {.name = "attention.qk_norm",
                                     .kind = ElementwiseKind::rmsnorm,
                                     .rows = step.tokens() * heads,
                                     .cols = m.head_dim,
                                     .partition = Partition::heads}));
  }
  if (step.options.fuses_rope) return;
  if (has_rope(m)) {
    nodes.push_back(pass_node(step, {.name = "attention.rope",
                                     .kind = ElementwiseKind::rope,
                                     .rows = step.tokens() * heads,
                                     .cols = m.head_dim,
                                     .partition = Partition::heads}));
  }
  if (m.architecture != Architecture::encoder && !step.training) {
    nodes.push_back(
        {.name = "attention.kv_append",
         .op = work::make_elementwise(ElementwiseKind::copy, step.tokens() * kv_heads, m.head_dim + m.v_head_dim,
                                      step.precision.compute, step.precision.kv_cache),
         .partition = Partition::heads});
  }
}

struct CoreShape {
  std::string name;
  std::int64_t seq_kv = 1, kv_heads = 1, window = 0;
};

// Where V's heads are not as wide as K's, the decode operator has heads of the mean width: its flops and bytes are the
// same.
GraphNode fused_core(const StepContext& step, CoreShape core) {
  const ModelSpec& m = step.model;
  work::Operator op;
  if (step.decode) {
    op = work::AttentionDecode{.batch = step.batch,
                               .seq_kv = core.seq_kv,
                               .heads = m.heads,
                               .kv_heads = core.kv_heads,
                               .head_dim = (m.head_dim + m.v_head_dim + 1) / 2,
                               .window = core.window,
                               .dtype = step.precision.compute,
                               .kv_dtype = step.precision.kv_cache};
  } else {
    op = work::AttentionPrefill{.batch = step.batch,
                                .seq_q = step.new_tokens,
                                .seq_kv = core.seq_kv,
                                .heads = m.heads,
                                .kv_heads = core.kv_heads,
                                .head_dim = m.head_dim,
                                .value_dim = m.v_head_dim,
                                .causal = step.causal,
                                .window = core.window,
                                .dtype = step.precision.compute,
                                .kv_dtype = step.training ? step.precision.compute : step.precision.kv_cache,
                                .appends = !step.training};
  }
  return {.name = std::move(core.name), .op = op, .partition = Partition::heads, .attends = true};
}

// Scores for every pair go through memory, masked ones included; K and V are repeated for each query head.
void add_unfused_core(const StepContext& step, const CoreShape& core, Nodes& nodes) {
  const ModelSpec& m = step.model;
  const std::int64_t copies = step.batch * m.heads;
  nodes.push_back(
      batched_node(step, core.name + ".scores",
                   {.m = step.new_tokens, .n = core.seq_kv, .k = m.head_dim, .batch = copies, .parameters = false}));
  nodes.push_back(pass_node(step, {.name = core.name + ".softmax",
                                   .kind = ElementwiseKind::softmax,
                                   .rows = copies * step.new_tokens,
                                   .cols = core.seq_kv,
                                   .partition = Partition::heads}));
  nodes.push_back(
      batched_node(step, core.name + ".context",
                   {.m = step.new_tokens, .n = m.v_head_dim, .k = core.seq_kv, .batch = copies, .parameters = false}));
  nodes.back().attends = true;
}

void add_core(const StepContext& step, CoreShape core, Nodes& nodes) {
  if (step.options.fused_attention) {
    nodes.push_back(fused_core(step, std::move(core)));
  } else {
    add_unfused_core(step, core, nodes);
  }
}

void add_grouped_query_attention(const StepContext& step, const AttentionKind& kind, Nodes& nodes) {
  const ModelSpec& m = step.model;
  GraphNode qkv = linear_node(step, {.name = "attention.qkv",
                                     .rows = step.tokens(),
                                     .outputs = qkv_columns(m, kind),
                                     .inputs = m.hidden,
                                     .partition = Partition::column});
  qkv.kv_columns = kv_columns(m, kind);
  qkv.kv_ways = m.kv_heads_of(kind);
  nodes.push_back(std::move(qkv));
  add_attention_core(step, kind, nodes);
  nodes.push_back(linear_node(step, {.name = "attention.out",
                                     .rows = step.tokens(),
                                     .outputs = m.hidden,
                                     .inputs = m.heads * m.v_head_dim,
                                     .partition = Partition::row}));
}

}  // namespace

std::int64_t kv_columns(const ModelSpec& m, const AttentionKind& kind) {
  return m.kv_heads_of(kind) * (m.head_dim + m.v_head_dim);
}

std::int64_t qkv_columns(const ModelSpec& m, const AttentionKind& kind) {
  return m.heads * m.head_dim * (m.output_gate ? 2 : 1) + kv_columns(m, kind);
}

void add_attention_core(const StepContext& step, const AttentionKind& kind, Nodes& nodes) {
  const ModelSpec& m = step.model;
  const std::int64_t kv_heads = m.kv_heads_of(kind);
  add_query_key_passes(step, kv_heads, nodes);
  const std::int64_t window = step.decode ? (kind.window + step.cp - 1) / step.cp : kind.window;
  add_core(step, {.name = "attention.core", .seq_kv = step.context, .kv_heads = kv_heads, .window = window}, nodes);
  if (m.output_gate) {
    nodes.push_back(pass_node(step, {.name = "attention.gate",
                                     .kind = ElementwiseKind::silu_mul,
                                     .rows = step.tokens(),
                                     .cols = m.heads * m.v_head_dim,
                                     .partition = Partition::column}));
  }
}

void add_cross_attention(const StepContext& step, std::int64_t source, bool projects_source, Nodes& nodes) {
  const ModelSpec& m = step.model;
  nodes.push_back(norm_node(step, "cross_attention_norm", true));
  nodes.push_back(linear_node(step, {.name = "cross_attention.q",
                                     .rows = step.tokens(),
                                     .outputs = m.heads * m.head_dim,
                                     .inputs = m.hidden,
                                     .partition = Partition::column}));
  if (projects_source) {
    GraphNode kv = linear_node(step, {.name = "cross_attention.kv",
                                      .rows = step.batch * source,
                                      .outputs = kv_columns(m, {}),
                                      .inputs = m.hidden,
                                      .partition = Partition::column});
    kv.kv_columns = kv_columns(m, {});
    kv.kv_ways = m.kv_heads;
    nodes.push_back(std::move(kv));
  }
  add_core(step, {.name = "cross_attention.core", .seq_kv = source, .kv_heads = m.kv_heads}, nodes);
  nodes.push_back(linear_node(step, {.name = "cross_attention.out",
                                     .rows = step.tokens(),
                                     .outputs = m.hidden,
                                     .inputs = m.heads * m.v_head_dim,
                                     .partition = Partition::row}));
  add_residual(step, "cross_attention_residual", nodes);
}

void add_attention(const StepContext& step, const AttentionKind& kind, Nodes& nodes) {
  if (kind.linear) {
    add_linear_attention(step, nodes);
  } else if (step.model.mla) {
    add_latent_attention(step, nodes);
  } else {
    add_grouped_query_attention(step, kind, nodes);
  }
}

}  // namespace mlosim::graph
