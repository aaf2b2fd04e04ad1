#include "sim/work/operator.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/units/check.hpp"

namespace mlosim::work {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

// The format a product runs in when its operands differ: the wider one.
DType common_arithmetic(DType a, DType b) {
  const DType wider = bytes_per_element(a) >= bytes_per_element(b) ? a : b;
  return arithmetic_of(wider);
}

constexpr double kVectorOpsPerScore = 4;  // online softmax: scale, maximum, subtract, sum
constexpr double kVectorOpsPerNorm = 4;   // square or centre, accumulate, scale, weight

// Attention's gradients from its output's: the scores again, then the gradients of the probabilities, of V, Q and K.
// Reads the output and its gradient beside the forward's operands, writes a gradient for each of those.
constexpr double kBackwardOpsPerScore = 2;  // softmax's gradient

OpWork backward(const OpWork& forward, double pairs) {
  OpWork w = forward;
  w.matrix *= kBackwardProducts;
  w.vector += Flops(kBackwardOpsPerScore * pairs);
  w.read = forward.read + 2 * forward.written;
  w.written = forward.read;
  return w;
}

OpWork work(const Gemm& g) {
  const double copies = d(g.batch);
  OpWork w;
  w.matrix = Flops(2 * copies * d(g.m) * d(g.n) * d(g.k));
  w.matrix_dtype = common_arithmetic(g.activations, g.weights);
  const Bytes weights = copies * d(g.n) * d(g.k) * bytes_per_element(g.weights);
  const Bytes activations = copies * d(g.m) * d(g.k) * bytes_per_element(g.activations);
  w.read = activations + weights;
  if (g.parameters) w.weights = weights;
  w.written = copies * d(g.m) * d(g.n) * bytes_per_element(g.output);
  if (g.accumulates) w.read += w.written;
  if (g.quantise_activations) {
    w.read += copies * d(g.m) * d(g.k) * bytes_per_element(g.output);
    w.written += activations;
    w.vector = Flops(2 * copies * d(g.m) * d(g.k));
  }
  return w;
}

OpWork work(const AttentionPrefill& a) {
  const double pairs = d(a.batch) * d(a.heads) * attention_pairs(a.seq_q, a.seq_kv, a.causal, a.window);
  OpWork w;
  w.matrix = Flops(2 * pairs * d(a.head_dim + a.value_dim));
  w.matrix_dtype = arithmetic_of(a.dtype);
  w.vector = Flops(kVectorOpsPerScore * pairs);
  w.exponentials = pairs;
  w.read = d(a.batch) * d(a.seq_q) * d(a.heads) * d(a.head_dim) * bytes_per_element(a.dtype) +
           d(a.batch) * d(keys_read(a)) * d(a.kv_heads) * d(a.head_dim + a.value_dim) * bytes_per_element(a.kv_dtype);
  w.written = d(a.batch) * d(a.seq_q) * d(a.heads) * d(a.value_dim) * bytes_per_element(a.dtype);
  return a.backward ? backward(w, pairs) : w;
}

OpWork work(const AttentionDecode& a) {
  const double seen = a.window > 0 ? d(std::min(a.seq_kv, a.window)) : d(a.seq_kv);
  const double pairs = d(a.batch) * d(a.heads) * seen;
  OpWork w;
  w.matrix = Flops(4 * pairs * d(a.head_dim));
  w.matrix_dtype = arithmetic_of(a.dtype);
  w.vector = Flops(kVectorOpsPerScore * pairs);
  w.exponentials = pairs;
  w.read = d(a.batch) * d(a.heads) * d(a.head_dim) * bytes_per_element(a.dtype) +
           2 * d(a.batch) * seen * d(a.kv_heads) * d(a.head_dim) * bytes_per_element(a.kv_dtype);
  w.written = d(a.batch) * d(a.heads) * d(a.head_dim) * bytes_per_element(a.dtype);
  return w;
}

OpWork work(const MlaPrefill& a) {
  const double pairs = d(a.batch) * d(a.heads) * attention_pairs(a.seq_q, a.seq_kv, true, a.window);
  const std::int64_t key = a.absorbed ? a.kv_rank + a.rope_dim : a.nope_dim + a.rope_dim;
  const std::int64_t value = a.absorbed ? a.kv_rank : a.value_dim;
  OpWork w;
  w.matrix = Flops(2 * pairs * d(key + value));
  w.matrix_dtype = arithmetic_of(a.dtype);
  w.vector = Flops(kVectorOpsPerScore * pairs);
  w.exponentials = pairs;
  const Bytes queries = d(a.batch) * d(a.seq_q) * d(a.heads) * d(key) * bytes_per_element(a.dtype);
  const Bytes keys = a.absorbed ? d(a.batch) * d(a.seq_kv) * d(key) * bytes_per_element(a.kv_dtype)
                                : d(a.batch) * d(a.seq_kv) * d(a.heads) * d(key + value) * bytes_per_element(a.dtype);
  w.read = queries + keys;
  w.written = d(a.batch) * d(a.seq_q) * d(a.heads) * d(value) * bytes_per_element(a.dtype);
  return a.backward ? backward(w, pairs) : w;
}

OpWork work(const MlaDecode& a) {
  const double pairs = d(a.batch) * d(a.heads) * d(a.seq_kv);
  const std::int64_t key = a.kv_rank + a.rope_dim;
  OpWork w;
  w.matrix = Flops(2 * pairs * d(key + a.kv_rank));
  w.matrix_dtype = arithmetic_of(a.dtype);
  w.vector = Flops(kVectorOpsPerScore * pairs);
  w.exponentials = pairs;
  w.read = d(a.batch) * d(a.heads) * d(key) * bytes_per_element(a.dtype) +
           d(a.batch) * d(a.seq_kv) * d(key) * bytes_per_element(a.kv_dtype);
  w.written = d(a.batch) * d(a.heads) * d(a.kv_rank) * bytes_per_element(a.dtype);
  return w;
}

// The rank that is loaded evenly: tokens·topk/ep rows, and the experts of its group that get any. A gradient's operands
// are rows of the rank, in expert order.
OpWork work(const MoeGemm& o) {
  const double rows = d(o.tokens) * d(o.topk) / d(o.ep);
  const double tokens = d(o.tokens) / d(o.ep);
  const double width = d(o.inter) / d(o.tp);
  const double up = o.gated ? 2 : 1;
  const double matrices = o.pass == MoePass::up ? up : up + 1;
  const double experts = std::min(touched_experts(o.tokens, o.experts, o.topk) / d(o.ep), rows);
  const Bytes row_element = bytes_per_element(o.activations), wide(2);
  OpWork w;
  w.matrix = Flops(2 * rows * d(o.hidden) * width * matrices);
  w.matrix_dtype = common_arithmetic(o.activations, o.weights);
  const double parameters = experts * d(o.hidden) * width * matrices;
  if (o.pass == MoePass::weight_gradient) {
    // Each product's two operands; fp32 gradients that are added to.
    w.read = rows * (2 * d(o.hidden) + (up + 1) * width) * row_element + parameters * Bytes(4);
    w.written = parameters * Bytes(4);
    return w;
  }
  w.vector = Flops(up * rows * width);
  w.exponentials = rows * width;
  w.weights = parameters * bytes_per_element(o.weights);
  w.read = w.weights + tokens * d(o.hidden) * row_element;
  switch (o.pass) {
    case MoePass::forward:
      w.written = tokens * d(o.hidden) * wide;
      return w;
    case MoePass::up:
      w.written = rows * width * wide;
      return w;
    case MoePass::input_gradient:
      w.read += rows * up * width * wide;  // the activation's inputs
      w.written = tokens * d(o.hidden) * wide;
      return w;
    case MoePass::weight_gradient:
      break;
  }
  MLOSIM_CHECK(false);
}

double vector_ops(ElementwiseKind kind) {
  switch (kind) {
    case ElementwiseKind::copy:
    case ElementwiseKind::cast:
      return 0;
    case ElementwiseKind::add:
    case ElementwiseKind::mul:
    case ElementwiseKind::scale:
    case ElementwiseKind::div:
    case ElementwiseKind::relu:
    case ElementwiseKind::silu:
    case ElementwiseKind::dropout:
    case ElementwiseKind::row_sum:
    case ElementwiseKind::scatter_add:
      return 1;
    case ElementwiseKind::silu_mul:
    case ElementwiseKind::quantise:
    case ElementwiseKind::amax_scale:
    case ElementwiseKind::tanh:
    case ElementwiseKind::pow:
      return 2;
    case ElementwiseKind::gelu:
      return 6;
    case ElementwiseKind::gelu_mul:
      return 7;
    case ElementwiseKind::softmax:
    case ElementwiseKind::bias_dropout_add:
      return 3;
    case ElementwiseKind::masked_softmax:
    case ElementwiseKind::softmax_backward:
    case ElementwiseKind::cross_entropy:
    case ElementwiseKind::cross_entropy_backward:
      return 4;
    case ElementwiseKind::rope:
      return 3;
    case ElementwiseKind::topk_router:
      return 8;
    case ElementwiseKind::layernorm:
      return kVectorOpsPerNorm + 1;
    case ElementwiseKind::add_layernorm:
      return kVectorOpsPerNorm + 2;
    case ElementwiseKind::rmsnorm:
      return kVectorOpsPerNorm;
    case ElementwiseKind::add_rmsnorm:
      return kVectorOpsPerNorm + 1;
    case ElementwiseKind::delta_rule:
      return 7;
    case ElementwiseKind::norm_backward:
    case ElementwiseKind::activation_backward:
      return 8;
    case ElementwiseKind::adam:
      return 12;
  }
  MLOSIM_CHECK(false);
}

bool has_exponential(ElementwiseKind kind) {
  switch (kind) {
    case ElementwiseKind::pow:
    case ElementwiseKind::tanh:
    case ElementwiseKind::gelu:
    case ElementwiseKind::gelu_mul:
    case ElementwiseKind::silu:
    case ElementwiseKind::silu_mul:
    case ElementwiseKind::softmax:
    case ElementwiseKind::topk_router:
    case ElementwiseKind::masked_softmax:
    case ElementwiseKind::activation_backward:
    case ElementwiseKind::cross_entropy:
    case ElementwiseKind::cross_entropy_backward:
      return true;
    default:
      return false;
  }
}

OpWork work(const Elementwise& e) {
  OpWork w;
  w.vector = Flops(vector_ops(e.kind) * d(e.rows) * d(e.cols));
  w.exponentials = has_exponential(e.kind) ? d(e.rows) * d(e.cols) : 0;
  w.read = e.bytes_in;
  w.written = e.bytes_out;
  return w;
}

OpWork work(const Embedding& e) {
  OpWork w;
  w.weights = d(e.tokens) * d(e.hidden) * bytes_per_element(e.dtype);
  w.read = w.weights + d(e.tokens) * Bytes(4);
  w.written = d(e.tokens) * d(e.hidden) * bytes_per_element(e.dtype);
  return w;
}

OpWork work(const Sampling& s) {
  OpWork w;
  w.vector = Flops(4 * d(s.rows) * d(s.vocab));
  w.exponentials = d(s.rows) * d(s.vocab);
  w.read = d(s.rows) * d(s.vocab) * bytes_per_element(s.dtype);
  w.written = d(s.rows) * Bytes(4);
  return w;
}

OpWork work(const Collective& c) {
  OpWork w;
  w.read = c.bytes;
  w.written = c.bytes;
  return w;
}

}  // namespace

std::string_view name_of(ElementwiseKind kind) {
  switch (kind) {
    case ElementwiseKind::copy:
      return "copy";
    case ElementwiseKind::add:
      return "add";
    case ElementwiseKind::mul:
      return "mul";
    case ElementwiseKind::scale:
      return "scale";
    case ElementwiseKind::div:
      return "div";
    case ElementwiseKind::pow:
      return "pow";
    case ElementwiseKind::tanh:
      return "tanh";
    case ElementwiseKind::gelu:
      return "gelu";
    case ElementwiseKind::relu:
      return "relu";
    case ElementwiseKind::silu:
      return "silu";
    case ElementwiseKind::silu_mul:
      return "silu_mul";
    case ElementwiseKind::gelu_mul:
      return "gelu_mul";
    case ElementwiseKind::softmax:
      return "softmax";
    case ElementwiseKind::layernorm:
      return "layernorm";
    case ElementwiseKind::add_layernorm:
      return "add_layernorm";
    case ElementwiseKind::rmsnorm:
      return "rmsnorm";
    case ElementwiseKind::add_rmsnorm:
      return "add_rmsnorm";
    case ElementwiseKind::rope:
      return "rope";
    case ElementwiseKind::quantise:
      return "quantise";
    case ElementwiseKind::amax_scale:
      return "amax_scale";
    case ElementwiseKind::cast:
      return "cast";
    case ElementwiseKind::topk_router:
      return "topk_router";
    case ElementwiseKind::delta_rule:
      return "delta_rule";
    case ElementwiseKind::dropout:
      return "dropout";
    case ElementwiseKind::bias_dropout_add:
      return "bias_dropout_add";
    case ElementwiseKind::masked_softmax:
      return "masked_softmax";
    case ElementwiseKind::softmax_backward:
      return "softmax_backward";
    case ElementwiseKind::norm_backward:
      return "norm_backward";
    case ElementwiseKind::activation_backward:
      return "activation_backward";
    case ElementwiseKind::cross_entropy:
      return "cross_entropy";
    case ElementwiseKind::cross_entropy_backward:
      return "cross_entropy_backward";
    case ElementwiseKind::row_sum:
      return "row_sum";
    case ElementwiseKind::scatter_add:
      return "scatter_add";
    case ElementwiseKind::adam:
      return "adam";
  }
  MLOSIM_CHECK(false);
}

std::string_view name_of(CollectiveKind kind) {
  switch (kind) {
    case CollectiveKind::all_reduce:
      return "all_reduce";
    case CollectiveKind::all_gather:
      return "all_gather";
    case CollectiveKind::reduce_scatter:
      return "reduce_scatter";
    case CollectiveKind::all_to_all:
      return "all_to_all";
    case CollectiveKind::broadcast:
      return "broadcast";
    case CollectiveKind::p2p:
      return "p2p";
  }
  MLOSIM_CHECK(false);
}

std::string_view name_of(const Operator& op) {
  struct Namer {
    std::string_view operator()(const Gemm&) const { return "gemm"; }
    std::string_view operator()(const AttentionPrefill&) const { return "attention_prefill"; }
    std::string_view operator()(const AttentionDecode&) const { return "attention_decode"; }
    std::string_view operator()(const MlaPrefill&) const { return "mla_prefill"; }
    std::string_view operator()(const MlaDecode&) const { return "mla_decode"; }
    std::string_view operator()(const MoeGemm&) const { return "moe_gemm"; }
    std::string_view operator()(const Elementwise& e) const { return name_of(e.kind); }
    std::string_view operator()(const Embedding&) const { return "embedding"; }
    std::string_view operator()(const Sampling&) const { return "sampling"; }
    std::string_view operator()(const Collective& c) const { return name_of(c.kind); }
  };
  return std::visit(Namer{}, op);
}

OpWork work_of(const Operator& op) {
  return std::visit([](const auto& o) { return work(o); }, op);
}

std::int64_t keys_read(const AttentionPrefill& op) {
  return op.causal && op.window > 0 ? std::min(op.seq_kv, op.seq_q + op.window - 1) : op.seq_kv;
}

double attention_pairs(std::int64_t seq_q, std::int64_t seq_kv, bool causal, std::int64_t window) {
  const double q = d(seq_q), kv = d(seq_kv);
  if (!causal) return window > 0 ? q * std::min(kv, d(window)) : q * kv;
  // The rows that see any key see start, start + 1, … keys, never more than the limit.
  const double limit = window > 0 ? std::min(d(window), kv) : kv;
  const double start = std::max(1.0, kv - q + 1);
  const double rows = std::min(q, kv);
  const double growing = std::clamp(limit - start, 0.0, rows);
  return growing * start + growing * (growing - 1) / 2 + (rows - growing) * limit;
}

Elementwise make_elementwise(ElementwiseKind kind, std::int64_t rows, std::int64_t cols, DType dtype, DType output) {
  double inputs = 1, outputs = 1;
  switch (kind) {
    case ElementwiseKind::add:
    case ElementwiseKind::mul:
    case ElementwiseKind::div:
    case ElementwiseKind::pow:
    case ElementwiseKind::silu_mul:
    case ElementwiseKind::gelu_mul:
      inputs = 2;
      break;
    case ElementwiseKind::add_layernorm:
    case ElementwiseKind::add_rmsnorm:
      inputs = 2;
      outputs = 2;
      break;
    case ElementwiseKind::amax_scale:
      outputs = 0;
      break;
    default:
      break;
  }
  const double elements = d(rows) * d(cols);
  return {.kind = kind,
          .rows = rows,
          .cols = cols,
          .dtype = dtype,
          .bytes_in = inputs * elements * bytes_per_element(dtype),
          .bytes_out = outputs * elements * bytes_per_element(output)};
}

double touched_experts(std::int64_t tokens, std::int64_t experts, std::int64_t topk) {
  const double share = std::min(1.0, d(topk) / d(experts));
  return d(experts) * (1 - std::pow(1 - share, d(tokens)));
}

}  // namespace mlosim::work
