// The entries of a workload's `ops:` list.

#include <fmt/format.h>

#include <charconv>

#include "models/predict/workload.hpp"

namespace mlosim::predict {
namespace {

using work::DType;
using work::ElementwiseKind;

// The contract's names and the spellings of measurement tables.
DType read_dtype(spec::Node& node, std::string_view key, DType fallback) {
  return node.word_or<DType>(key,
                             {{"fp64", DType::fp64},
                              {"fp32", DType::fp32},
                              {"float32", DType::fp32},
                              {"tf32", DType::tf32},
                              {"bf16", DType::bf16},
                              {"bfloat16", DType::bf16},
                              {"fp16", DType::fp16},
                              {"float16", DType::fp16},
                              {"fp8", DType::fp8},
                              {"fp8_block", DType::fp8_block},
                              {"mxfp8", DType::mxfp8},
                              {"int8", DType::int8},
                              {"nvfp4", DType::nvfp4},
                              {"mxfp4", DType::mxfp4},
                              {"int4", DType::int4}},
                             fallback);
}

// Products of two sizes are exact integers.
constexpr std::int64_t kLargestSize = 1'000'000'000;
constexpr double kMostRows = 1e11;  // queries times the heads that share a tile

std::int64_t limited(const spec::Node& node, std::string_view key, std::int64_t size) {
  if (size <= kLargestSize) return size;
  node.fail_at(key, fmt::format("{} is beyond what can be meant", size), fmt::format("at most {}", kLargestSize));
  return 1;
}

std::int64_t require_size(spec::Node& node, std::string_view key) {
  return limited(node, key, node.require_count(key));
}

std::int64_t size_or(spec::Node& node, std::string_view key, std::int64_t fallback, std::int64_t least = 1) {
  return limited(node, key, node.count_or(key, fallback, least));
}

void check_rows(const spec::Node& node, std::int64_t queries, std::int64_t heads) {
  if (static_cast<double>(queries) * static_cast<double>(heads) > kMostRows) {
    node.fail_at("seq_q", fmt::format("{} queries of {} heads are beyond what can be meant", queries, heads));
  }
}

// The format that results are written in.
DType result_of(DType operands) {
  if (operands == DType::fp64 || operands == DType::fp32 || operands == DType::fp16) return operands;
  return operands == DType::tf32 ? DType::fp32 : DType::bf16;
}

work::Operator decode_gemm_op(spec::Node& node) {
  work::Gemm g;
  g.m = require_size(node, "m");
  g.n = require_size(node, "n");
  g.k = require_size(node, "k");
  g.batch = size_or(node, "batch", 1);
  g.activations = read_dtype(node, "dtype", DType::bf16);
  g.weights = read_dtype(node, "weights_dtype", g.activations);
  g.output = read_dtype(node, "output_dtype", result_of(g.activations));
  if (g.activations == DType::int4)
    node.fail_at("dtype", "int4 is a format of weights only", "write dtype: bf16 and weights_dtype: int4");
  g.quantise_activations = node.flag_or("quantise", false);
  if (node.has("plan")) g.tiling = decode_plan(node.child("plan"), g);
  return g;
}

work::Operator decode_attention_prefill_op(spec::Node& node) {
  work::AttentionPrefill a;
  a.batch = size_or(node, "batch", 1);
  a.seq_q = require_size(node, "seq_q");
  a.seq_kv = size_or(node, "seq_kv", a.seq_q);
  a.heads = require_size(node, "heads");
  a.kv_heads = size_or(node, "kv_heads", a.heads);
  a.head_dim = require_size(node, "head_dim");
  a.value_dim = size_or(node, "value_dim", a.head_dim);
  a.causal = node.flag_or("causal", true);
  a.window = size_or(node, "window", 0, 0);
  a.dtype = read_dtype(node, "dtype", DType::bf16);
  a.kv_dtype = read_dtype(node, "kv_dtype", a.dtype);
  if (a.heads % a.kv_heads != 0)
    node.fail_at("kv_heads", fmt::format("{} does not divide {} heads", a.kv_heads, a.heads));
  if (a.causal && a.seq_q > a.seq_kv) node.fail_at("seq_q", "a causal call has at most seq_kv queries");
  check_rows(node, a.seq_q, a.heads / a.kv_heads);
  return a;
}

work::Operator decode_attention_decode_op(spec::Node& node) {
  work::AttentionDecode a;
  a.batch = size_or(node, "batch", 1);
  a.seq_kv = require_size(node, "seq_kv");
  a.heads = require_size(node, "heads");
  a.kv_heads = size_or(node, "kv_heads", a.heads);
  a.head_dim = require_size(node, "head_dim");
  a.window = size_or(node, "window", 0, 0);
  a.dtype = read_dtype(node, "dtype", DType::bf16);
  a.kv_dtype = read_dtype(node, "kv_dtype", a.dtype);
  if (a.heads % a.kv_heads != 0)
    node.fail_at("kv_heads", fmt::format("{} does not divide {} heads", a.kv_heads, a.heads));
  return a;
}

work::Operator decode_mla_prefill_op(spec::Node& node) {
  work::MlaPrefill a;
  a.batch = size_or(node, "batch", 1);
  a.seq_q = require_size(node, "seq_q");
  a.seq_kv = size_or(node, "seq_kv", a.seq_q);
  a.heads = require_size(node, "heads");
  a.kv_rank = size_or(node, "kv_rank", a.kv_rank);
  a.nope_dim = size_or(node, "nope_dim", a.nope_dim);
  a.rope_dim = size_or(node, "rope_dim", a.rope_dim);
  a.value_dim = size_or(node, "v_dim", a.value_dim);
  a.dtype = read_dtype(node, "dtype", DType::bf16);
  a.kv_dtype = read_dtype(node, "kv_dtype", a.dtype);
  if (a.seq_q > a.seq_kv) node.fail_at("seq_q", "a causal call has at most seq_kv queries");
  check_rows(node, a.seq_q, a.heads);
  return a;
}

work::Operator decode_mla_decode_op(spec::Node& node) {
  work::MlaDecode a;
  a.batch = size_or(node, "batch", 1);
  a.seq_kv = require_size(node, "seq_kv");
  a.heads = require_size(node, "heads");
  a.kv_rank = size_or(node, "kv_rank", a.kv_rank);
  a.rope_dim = size_or(node, "rope_dim", a.rope_dim);
  a.dtype = read_dtype(node, "dtype", DType::bf16);
  a.kv_dtype = read_dtype(node, "kv_dtype", a.dtype);
  return a;
}

// "balanced", or "power_law_1.2".
void decode_distribution(spec::Node& node, work::MoeGemm& moe) {
  constexpr std::string_view kPowerLaw = "power_law_";
  const std::string text = node.text_or("distribution", "balanced");
  if (text == "balanced") return;
  moe.distribution = work::ExpertDistribution::power_law;
  const std::string_view number = std::string_view(text).substr(std::min(text.size(), kPowerLaw.size()));
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), moe.exponent);
  const bool is_number =
      error == std::errc() && end == number.data() + number.size() && moe.exponent > 0 && moe.exponent < 10;
  if (!text.starts_with(kPowerLaw) || !is_number) {
    node.fail_at("distribution", fmt::format("unknown distribution '{}'", text),
                 "balanced, or power_law_ with an exponent: power_law_1.2");
    moe.exponent = 1;
  }
}

work::Operator decode_moe_op(spec::Node& node) {
  work::MoeGemm m;
  m.tokens = require_size(node, "tokens");
  m.hidden = require_size(node, "hidden");
  m.inter = require_size(node, "inter");
  m.experts = require_size(node, "experts");
  m.topk = require_size(node, "topk");
  m.tp = size_or(node, "tp", 1);
  m.ep = size_or(node, "ep", 1);
  m.gated = node.flag_or("gated", true);
  decode_distribution(node, m);
  m.activations = read_dtype(node, "dtype", DType::bf16);
  m.weights = read_dtype(node, "weights_dtype", m.activations);
  if (m.topk > m.experts) node.fail_at("topk", fmt::format("{} of {} experts cannot be chosen", m.topk, m.experts));
  if (m.experts % m.ep != 0) node.fail_at("ep", fmt::format("{} does not divide {} experts", m.ep, m.experts));
  return m;
}

work::Operator decode_elementwise_op(spec::Node& node, ElementwiseKind kind) {
  const std::int64_t rows = require_size(node, "rows"), cols = require_size(node, "cols");
  const DType dtype = read_dtype(node, "dtype", DType::bf16);
  const DType output = read_dtype(node, "output_dtype", kind == ElementwiseKind::quantise ? DType::fp8 : dtype);
  work::Elementwise e = work::make_elementwise(kind, rows, cols, dtype, output);
  // Plain counts of bytes, where the tensors are not what the kind implies: an operand that is broadcast or a scalar.
  if (node.has("bytes_in")) e.bytes_in = Bytes(node.require_number("bytes_in", spec::Range::non_negative));
  if (node.has("bytes_out")) e.bytes_out = Bytes(node.require_number("bytes_out", spec::Range::non_negative));
  return e;
}

work::Operator decode_collective_op(spec::Node& node, std::int64_t chips) {
  using work::CollectiveKind;
  work::Collective c;
  c.kind = node.require_word<CollectiveKind>("kind", {{"all_reduce", CollectiveKind::all_reduce},
                                                      {"all_gather", CollectiveKind::all_gather},
                                                      {"reduce_scatter", CollectiveKind::reduce_scatter},
                                                      {"all_to_all", CollectiveKind::all_to_all},
                                                      {"broadcast", CollectiveKind::broadcast},
                                                      {"p2p", CollectiveKind::p2p}});
  // A plain number is a count of bytes; a quantity may be written too.
  const spec::Value* bytes = node.value() ? node.value()->find("bytes") : nullptr;
  const bool is_plain =
      bytes && bytes->is_scalar() && bytes->text.find_first_not_of("0123456789.eE+") == std::string::npos;
  c.bytes = is_plain ? Bytes(node.require_number("bytes")) : node.require<Bytes>("bytes");
  c.ranks = size_or(node, "ranks", chips, 2);
  c.stride = size_or(node, "stride", 1);
  if (c.kind == CollectiveKind::all_to_all) c.crossing = node.number_or("crossing", 1, spec::Range::fraction);
  c.dtype = read_dtype(node, "dtype", DType::bf16);
  if (c.ranks < 2)
    node.fail_at("ranks", "a collective needs at least 2 ranks",
                 "write 'ranks: 8', or 'chips: 8' for the whole workload");
  return c;
}

enum class OpKind {
  gemm,
  attention_prefill,
  attention_decode,
  mla_prefill,
  mla_decode,
  moe_gemm,
  embedding,
  sampling,
  collective,
  elementwise
};

}  // namespace

work::Operator decode_op(spec::Node node, std::int64_t chips) {
  constexpr int kFirstElementwise = 100;
  const auto elementwise = [](ElementwiseKind kind) { return kFirstElementwise + static_cast<int>(kind); };
  const spec::Node::Words<int> words{{"gemm", static_cast<int>(OpKind::gemm)},
                                     {"attention_prefill", static_cast<int>(OpKind::attention_prefill)},
                                     {"attention_decode", static_cast<int>(OpKind::attention_decode)},
                                     {"mla_prefill", static_cast<int>(OpKind::mla_prefill)},
                                     {"mla_decode", static_cast<int>(OpKind::mla_decode)},
                                     {"moe_gemm", static_cast<int>(OpKind::moe_gemm)},
                                     {"embedding", static_cast<int>(OpKind::embedding)},
                                     {"sampling", static_cast<int>(OpKind::sampling)},
                                     {"collective", static_cast<int>(OpKind::collective)},
                                     {"softmax", elementwise(ElementwiseKind::softmax)},
                                     {"layernorm", elementwise(ElementwiseKind::layernorm)},
                                     {"rmsnorm", elementwise(ElementwiseKind::rmsnorm)},
                                     {"add_rmsnorm", elementwise(ElementwiseKind::add_rmsnorm)},
                                     {"gelu", elementwise(ElementwiseKind::gelu)},
                                     {"relu", elementwise(ElementwiseKind::relu)},
                                     {"silu", elementwise(ElementwiseKind::silu)},
                                     {"silu_mul", elementwise(ElementwiseKind::silu_mul)},
                                     {"gelu_mul", elementwise(ElementwiseKind::gelu_mul)},
                                     {"add", elementwise(ElementwiseKind::add)},
                                     {"mul", elementwise(ElementwiseKind::mul)},
                                     {"scale", elementwise(ElementwiseKind::scale)},
                                     {"div", elementwise(ElementwiseKind::div)},
                                     {"pow", elementwise(ElementwiseKind::pow)},
                                     {"tanh", elementwise(ElementwiseKind::tanh)},
                                     {"amax_scale", elementwise(ElementwiseKind::amax_scale)},
                                     {"copy", elementwise(ElementwiseKind::copy)},
                                     {"quantise", elementwise(ElementwiseKind::quantise)},
                                     {"quantize", elementwise(ElementwiseKind::quantise)},
                                     {"cast", elementwise(ElementwiseKind::cast)},
                                     {"rope", elementwise(ElementwiseKind::rope)}};
  const std::size_t before = node.decoding().diagnostics.list().size();
  const int word = node.require_word<int>("op", words);
  if (node.decoding().diagnostics.list().size() > before)
    return work::Gemm{};  // what else is right depends on the operator
  const OpKind kind = word >= kFirstElementwise ? OpKind::elementwise : static_cast<OpKind>(word);
  const auto decode = [&]() -> work::Operator {
    switch (kind) {
      case OpKind::gemm:
        return decode_gemm_op(node);
      case OpKind::attention_prefill:
        return decode_attention_prefill_op(node);
      case OpKind::attention_decode:
        return decode_attention_decode_op(node);
      case OpKind::mla_prefill:
        return decode_mla_prefill_op(node);
      case OpKind::mla_decode:
        return decode_mla_decode_op(node);
      case OpKind::moe_gemm:
        return decode_moe_op(node);
      case OpKind::embedding:
        return work::Embedding{.tokens = require_size(node, "tokens"),
                               .hidden = require_size(node, "hidden"),
                               .vocab = require_size(node, "vocab"),
                               .dtype = read_dtype(node, "dtype", DType::bf16)};
      case OpKind::sampling:
        return work::Sampling{.rows = require_size(node, "rows"),
                              .vocab = require_size(node, "vocab"),
                              .dtype = read_dtype(node, "dtype", DType::fp32)};
      case OpKind::collective:
        return decode_collective_op(node, chips);
      case OpKind::elementwise:
        return decode_elementwise_op(node, static_cast<ElementwiseKind>(word - kFirstElementwise));
    }
    return work::Gemm{};
  };
  work::Operator op = decode();
  if (kind != OpKind::gemm && node.has("plan")) {
    node.child("plan");
    node.fail_at("plan", fmt::format("'{}' takes no plan", work::name_of(op)), "only the tiles of a gemm can be fixed");
  }
  node.finish();
  return op;
}

}  // namespace mlosim::predict
