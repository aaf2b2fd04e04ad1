// Counts of a model's parameters, part by part. Routing biases, attention sinks and other scalars per head are left
// out: under 0.01 % in every model that has them.
#include "models/graph/model.hpp"

namespace mlosim::graph {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

double norm_parameters(const ModelSpec& m) { return d(m.hidden) * (!m.rms_norm && m.biases == Biases::all ? 2 : 1); }

// inputs × outputs, with a bias for each output where the model has one there.
double linear(std::int64_t inputs, std::int64_t outputs, bool bias) {
  return d(inputs) * d(outputs) + (bias ? d(outputs) : 0);
}

double mla_parameters(const ModelSpec& m) {
  const MlaShape& a = *m.mla;
  const bool bias = m.biases == Biases::all;
  const std::int64_t queries = m.heads * (a.nope_dim + a.rope_dim);
  double sum = a.q_rank > 0 ? linear(m.hidden, a.q_rank, bias) + d(a.q_rank) + linear(a.q_rank, queries, false)
                            : linear(m.hidden, queries, bias);
  sum += linear(m.hidden, a.kv_rank + a.rope_dim, bias) + d(a.kv_rank);
  sum += linear(a.kv_rank, m.heads * (a.nope_dim + a.v_dim), false);
  sum += linear(m.heads * a.v_dim, m.hidden, bias);
  if (a.indexer) {
    const IndexerShape& i = *a.indexer;
    sum += linear(a.q_rank, i.heads * i.dim, false) + linear(m.hidden, i.dim, false) + 2 * d(i.dim) +
           linear(m.hidden, i.heads, false);
  }
  return sum;
}

double linear_attention_parameters(const ModelSpec& m) {
  const LinearAttentionShape& a = *m.linear;
  const double projections = linear(m.hidden, a.convolved() + a.values() + 2 * a.value_heads, false);
  const double decay_and_step = 2 * d(a.value_heads);
  return projections + d(a.convolved()) * d(a.conv) + decay_and_step + d(a.value_dim) +
         linear(a.values(), m.hidden, false);
}

double attention_parameters(const ModelSpec& m, const AttentionKind& kind) {
  if (kind.linear) return linear_attention_parameters(m);
  if (m.mla) return mla_parameters(m);
  const std::int64_t kv_heads = m.kv_heads_of(kind);
  const std::int64_t queries = m.heads * m.head_dim * (m.output_gate ? 2 : 1);
  double sum = linear(m.hidden, queries + kv_heads * (m.head_dim + m.v_head_dim), m.biases != Biases::none);
  sum += linear(m.heads * m.v_head_dim, m.hidden, m.biases == Biases::all);
  return sum + (m.qk_norm ? 2 * d(m.head_dim) : 0);
}

double ffn_parameters(const ModelSpec& m, std::int64_t width) {
  const bool bias = m.biases == Biases::all;
  return linear(m.hidden, width * (m.gated ? 2 : 1), bias) + linear(width, m.hidden, bias);
}

// Attention to the encoder's output, with its norm.
double cross_attention_parameters(const ModelSpec& m) {
  return attention_parameters(m, AttentionKind{}) + norm_parameters(m);
}

}  // namespace

LayerParameters layer_parameters(const ModelSpec& m, std::int64_t layer) {
  LayerParameters p;
  p.attention = attention_parameters(m, m.layer_attention(layer));
  p.norms = d(m.norms_per_layer) * norm_parameters(m);
  if (!m.layer_is_moe(layer)) {
    p.ffn = ffn_parameters(m, m.ffn);
    return p;
  }
  p.ffn = linear(m.hidden, m.moe->experts, m.biases == Biases::all);
  if (m.moe->shared_experts > 0) p.ffn += ffn_parameters(m, m.moe->shared_experts * m.moe->shared_expert_ffn);
  p.experts = d(m.moe->experts) * ffn_parameters(m, m.moe->expert_ffn);
  return p;
}

ParameterCount count_parameters(const ModelSpec& m) {
  ParameterCount c;
  c.embedding = d(m.vocab + m.positions + m.token_types) * d(m.hidden);
  if (m.image > 0) c.embedding += linear(m.patch * m.patch * m.channels, m.hidden, true) + d(m.hidden);
  if (m.classes > 0) c.head = linear(m.hidden, m.classes, true);
  if (m.architecture != Architecture::encoder && !m.tied_embeddings) c.head += d(m.vocab) * d(m.hidden);

  double idle = 0;  // experts that a token does not choose
  for (std::int64_t layer = 0; layer < m.layers; ++layer) {
    const LayerParameters p = layer_parameters(m, layer);
    c.attention += p.attention;
    c.ffn += p.ffn;
    c.experts += p.experts;
    c.norms += p.norms;
    if (p.experts > 0) idle += p.experts / d(m.moe->experts) * d(m.moe->experts - m.moe->experts_per_token);
  }
  c.norms += norm_parameters(m);  // the last, or BERT's after the embedding
  if (m.architecture == Architecture::encoder_decoder) {
    c.attention +=
        d(m.layers) * cross_attention_parameters(m) + d(m.encoder_layers) * attention_parameters(m, AttentionKind{});
    c.ffn += d(m.encoder_layers) * ffn_parameters(m, m.ffn);
    c.norms += d(m.encoder_layers * m.norms_per_layer + 1) * norm_parameters(m);
  }
  c.active = c.total() - idle;
  return c;
}

}  // namespace mlosim::graph
