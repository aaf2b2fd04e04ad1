// The gated delta rule of Qwen3-Next and Qwen3.5 (Yang et al., arXiv:2412.06464). Decode updates the fp32 state of
// every value head token by token, which is bound by reading and writing it. Prefill uses the chunkwise form: within
// chunks of 64 tokens the recurrence becomes products of 64-row matrices (the WY representation), between chunks it
// stays a state. As in flash-linear-attention, each product reads and writes memory; the chain over chunks is not
// modelled: all chunks of a sequence count as parallel, which is wrong for few heads and long sequences.
#include "models/graph/attention_nodes.hpp"

namespace mlosim::graph {
namespace {

using work::DType;
using work::ElementwiseKind;

constexpr std::int64_t kChunk = 64;

double d(std::int64_t n) { return static_cast<double>(n); }

// Causal convolution and SiLU; a decode step also shifts the last inputs that it keeps.
GraphNode convolution(const StepContext& step) {
  const LinearAttentionShape& a = *step.model.linear;
  GraphNode node = pass_node(step, {.name = "attention.conv",
                                    .kind = ElementwiseKind::silu,
                                    .rows = step.tokens(),
                                    .cols = a.convolved(),
                                    .partition = Partition::column});
  if (step.decode) {
    auto& op = std::get<work::Elementwise>(node.op);
    const Bytes kept = d(step.batch * (a.conv - 1) * a.convolved()) * work::bytes_per_element(step.precision.compute);
    op.bytes_in += kept;
    op.bytes_out += kept;
  }
  return node;
}

GraphNode state_update(const StepContext& step) {
  const LinearAttentionShape& a = *step.model.linear;
  const Bytes state = d(step.batch * a.state()) * work::bytes_per_element(DType::fp32);
  const Bytes element = work::bytes_per_element(step.precision.compute);
  return {.name = "attention.core",
          .op = work::Elementwise{.kind = ElementwiseKind::delta_rule,
                                  .rows = step.batch * a.value_heads,
                                  .cols = a.key_dim * a.value_dim,
                                  .dtype = DType::fp32,
                                  .bytes_in = state + d(step.batch * a.convolved()) * element,
                                  .bytes_out = state + d(step.batch * a.values()) * element},
          .partition = Partition::heads};
}

void add_chunks(const StepContext& step, Nodes& nodes) {
  const LinearAttentionShape& a = *step.model.linear;
  const std::int64_t chunks = (step.new_tokens + kChunk - 1) / kChunk;
  const auto add = [&](const char* name, std::int64_t rows, std::int64_t columns, std::int64_t depth) {
    nodes.push_back(batched_node(
        step, name,
        {.m = rows, .n = columns, .k = depth, .batch = step.batch * a.value_heads * chunks, .parameters = false}));
  };
  add("attention.chunk_scores", 2 * kChunk, kChunk, a.key_dim);  // QKᵀ and KKᵀ
  add("attention.chunk_solve", kChunk, kChunk + a.key_dim + a.value_dim,
      kChunk);                                                       // (I + KKᵀ)⁻¹ and its products with K and V
  add("attention.chunk_state", 2 * kChunk, a.value_dim, a.key_dim);  // queries and corrections against the state
  add("attention.chunk_update", a.key_dim, a.value_dim, kChunk);     // the next state
  add("attention.chunk_values", kChunk, a.value_dim, kChunk);        // what the chunk adds to its own output
}

}  // namespace

void add_linear_attention(const StepContext& step, Nodes& nodes) {
  const ModelSpec& m = step.model;
  const LinearAttentionShape& a = *m.linear;
  nodes.push_back(linear_node(step, {.name = "attention.in_proj",
                                     .rows = step.tokens(),
                                     .outputs = a.convolved() + a.values() + 2 * a.value_heads,
                                     .inputs = m.hidden,
                                     .partition = Partition::column}));
  nodes.push_back(convolution(step));
  if (step.decode) {
    nodes.push_back(state_update(step));
  } else {
    add_chunks(step, nodes);
  }
  GraphNode gated_norm = pass_node(step, {.name = "attention.gated_norm",
                                          .kind = ElementwiseKind::rmsnorm,
                                          .rows = step.tokens() * a.value_heads,
                                          .cols = a.value_dim,
                                          .partition = Partition::heads});
  std::get<work::Elementwise>(gated_norm.op).bytes_in *= 2;  // the gate
  nodes.push_back(std::move(gated_norm));
  nodes.push_back(linear_node(step, {.name = "attention.out",
                                     .rows = step.tokens(),
                                     .outputs = m.hidden,
                                     .inputs = a.values(),
                                     .partition = Partition::row}));
}

}  // namespace mlosim::graph
