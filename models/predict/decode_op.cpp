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
                             {{"fp64", DType::fp64}, {"fp32", DType::fp32}, {"float32", DType::fp32}, {"tf32", DType::tf32}, {"bf16", DType::bf16},
                              {"bfloat16", DType::bf16}, {"fp16", DType::fp16}, {"float16", DType::fp16}, {"fp8", DType::fp8}, {"mxfp8", DType::mxfp8},
                              {"int8", DType::int8}, {"nvfp4", DType::nvfp4}, {"mxfp4", DType::mxfp4}, {"int4", DType::int4}},
                             fallback);
}

// The format that results are written in.
DType result_of(DType operands) {
  if (operands == DType::fp64 || operands == DType::fp32 || operands == DType::fp16) return operands;
  return operands == DType::tf32 ? DType::fp32 : DType::bf16;
}

work::Operator decode_gemm_op(spec::Node& node) {
  work::Gemm g;
  g.m = node.require_count("m");
  g.n = node.require_count("n");
  g.k = node.require_count("k");
  g.batch = node.count_or("batch", 1);
  g.activations = read_dtype(node, "dtype", DType::bf16);
  g.weights = read_dtype(node, "weights_dtype", g.activations);
  g.output = read_dtype(node, "output_dtype", result_of(g.activations));
  if (g.activations == DType::int4) node.fail_at("dtype", "int4 is a format of weights only", "write dtype: bf16 and weights_dtype: int4");
  g.quantise_activations = node.flag_or("quantise", false);
  return g;
}

work::Operator decode_attention_prefill_op(spec::Node& node) {
  work::AttentionPrefill a;
  a.batch = node.count_or("batch", 1);
  a.seq_q = node.require_count("seq_q");
  a.seq_kv = node.count_or("seq_kv", a.seq_q);
  a.heads = node.require_count("heads");
  a.kv_heads = node.count_or("kv_heads", a.heads);
  a.head_dim = node.require_count("head_dim");
  a.value_dim = node.count_or("value_dim", a.head_dim);
  a.causal = node.flag_or("causal", true);
  a.window = node.count_or("window", 0, 0);
  a.dtype = read_dtype(node, "dtype", DType::bf16);
  a.kv_dtype = read_dtype(node, "kv_dtype", a.dtype);
  if (a.heads % a.kv_heads != 0) node.fail_at("kv_heads", fmt::format("{} does not divide {} heads", a.kv_heads, a.heads));
  if (a.causal && a.seq_q > a.seq_kv) node.fail_at("seq_q", "a causal call has at most seq_kv queries");
  return a;
}

work::Operator decode_attention_decode_op(spec::Node& node) {
  work::AttentionDecode a;
  a.batch = node.count_or("batch", 1);
  a.seq_kv = node.require_count("seq_kv");
  a.heads = node.require_count("heads");
  a.kv_heads = node.count_or("kv_heads", a.heads);
  a.head_dim = node.require_count("head_dim");
  a.window = node.count_or("window", 0, 0);
  a.dtype = read_dtype(node, "dtype", DType::bf16);
  a.kv_dtype = read_dtype(node, "kv_dtype", a.dtype);
  if (a.heads % a.kv_heads != 0) node.fail_at("kv_heads", fmt::format("{} does not divide {} heads", a.kv_heads, a.heads));
  return a;
}

work::Operator decode_mla_prefill_op(spec::Node& node) {
  work::MlaPrefill a;
  a.batch = node.count_or("batch", 1);
  a.seq_q = node.require_count("seq_q");
  a.seq_kv = node.count_or("seq_kv", a.seq_q);
  a.heads = node.require_count("heads");
  a.kv_rank = node.count_or("kv_rank", a.kv_rank);
  a.nope_dim = node.count_or("nope_dim", a.nope_dim);
  a.rope_dim = node.count_or("rope_dim", a.rope_dim);
  a.value_dim = node.count_or("v_dim", a.value_dim);
  a.dtype = read_dtype(node, "dtype", DType::bf16);
  a.kv_dtype = read_dtype(node, "kv_dtype", a.dtype);
  if (a.seq_q > a.seq_kv) node.fail_at("seq_q", "a causal call has at most seq_kv queries");
  return a;
}

work::Operator decode_mla_decode_op(spec::Node& node) {
  work::MlaDecode a;
  a.batch = node.count_or("batch", 1);
  a.seq_kv = node.require_count("seq_kv");
  a.heads = node.require_count("heads");
  a.kv_rank = node.count_or("kv_rank", a.kv_rank);
  a.rope_dim = node.count_or("rope_dim", a.rope_dim);
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
  const bool is_number = error == std::errc() && end == number.data() + number.size() && moe.exponent > 0 && moe.exponent < 10;
  if (!text.starts_with(kPowerLaw) || !is_number) {
    node.fail_at("distribution", fmt::format("unknown distribution '{}'", text), "balanced, or power_law_ with an exponent: power_law_1.2");
    moe.exponent = 1;
  }
}

work::Operator decode_moe_op(spec::Node& node) {
  work::MoeGemm m;
  m.tokens = node.require_count("tokens");
  m.hidden = node.require_count("hidden");
  m.inter = node.require_count("inter");
  m.experts = node.require_count("experts");
  m.topk = node.require_count("topk");
  m.tp = node.count_or("tp", 1);
  m.ep = node.count_or("ep", 1);
  m.gated = node.flag_or("gated", true);
  decode_distribution(node, m);
  m.activations = read_dtype(node, "dtype", DType::bf16);
  m.weights = read_dtype(node, "weights_dtype", m.activations);
  if (m.topk > m.experts) node.fail_at("topk", fmt::format("{} of {} experts cannot be chosen", m.topk, m.experts));
  if (m.experts % m.ep != 0) node.fail_at("ep", fmt::format("{} does not divide {} experts", m.ep, m.experts));
  return m;
}

work::Operator decode_elementwise_op(spec::Node& node, ElementwiseKind kind) {
  const std::int64_t rows = node.require_count("rows"), cols = node.require_count("cols");
  const DType dtype = read_dtype(node, "dtype", DType::bf16);
  const DType output = read_dtype(node, "output_dtype", kind == ElementwiseKind::quantise ? DType::fp8 : dtype);
  return work::make_elementwise(kind, rows, cols, dtype, output);
}

work::Operator decode_collective_op(spec::Node& node, std::int64_t chips) {
  using work::CollectiveKind;
  work::Collective c;
  c.kind = node.require_word<CollectiveKind>(
      "kind", {{"all_reduce", CollectiveKind::all_reduce}, {"all_gather", CollectiveKind::all_gather}, {"reduce_scatter", CollectiveKind::reduce_scatter},
               {"all_to_all", CollectiveKind::all_to_all}, {"broadcast", CollectiveKind::broadcast}, {"p2p", CollectiveKind::p2p}});
  // A plain number is a count of bytes; a quantity may be written too.
  const spec::Value* bytes = node.value() ? node.value()->find("bytes") : nullptr;
  const bool is_plain = bytes && bytes->is_scalar() && bytes->text.find_first_not_of("0123456789.eE+") == std::string::npos;
  c.bytes = is_plain ? Bytes(node.require_number("bytes")) : node.require<Bytes>("bytes");
  c.ranks = node.count_or("ranks", chips, 2);
  c.dtype = read_dtype(node, "dtype", DType::bf16);
  if (c.ranks < 2) node.fail_at("ranks", "a collective needs at least 2 ranks", "write 'ranks: 8', or 'chips: 8' for the whole workload");
  return c;
}

enum class OpKind { gemm, attention_prefill, attention_decode, mla_prefill, mla_decode, moe_gemm, embedding, sampling, collective, elementwise };

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
                                     {"copy", elementwise(ElementwiseKind::copy)},
                                     {"quantise", elementwise(ElementwiseKind::quantise)},
                                     {"quantize", elementwise(ElementwiseKind::quantise)},
                                     {"cast", elementwise(ElementwiseKind::cast)},
                                     {"rope", elementwise(ElementwiseKind::rope)}};
  const std::size_t before = node.decoding().diagnostics.list().size();
  const int word = node.require_word<int>("op", words);
  if (node.decoding().diagnostics.list().size() > before) return work::Gemm{};  // what else is right depends on the operator
  const OpKind kind = word >= kFirstElementwise ? OpKind::elementwise : static_cast<OpKind>(word);
  const auto decode = [&]() -> work::Operator {
    switch (kind) {
      case OpKind::gemm: return decode_gemm_op(node);
      case OpKind::attention_prefill: return decode_attention_prefill_op(node);
      case OpKind::attention_decode: return decode_attention_decode_op(node);
      case OpKind::mla_prefill: return decode_mla_prefill_op(node);
      case OpKind::mla_decode: return decode_mla_decode_op(node);
      case OpKind::moe_gemm: return decode_moe_op(node);
      case OpKind::embedding:
        return work::Embedding{.tokens = node.require_count("tokens"), .hidden = node.require_count("hidden"), .vocab = node.require_count("vocab"), .dtype = read_dtype(node, "dtype", DType::bf16)};
      case OpKind::sampling: return work::Sampling{.rows = node.require_count("rows"), .vocab = node.require_count("vocab"), .dtype = read_dtype(node, "dtype", DType::fp32)};
      case OpKind::collective: return decode_collective_op(node, chips);
      case OpKind::elementwise: return decode_elementwise_op(node, static_cast<ElementwiseKind>(word - kFirstElementwise));
    }
    return work::Gemm{};
  };
  work::Operator op = decode();
  node.finish();
  return op;
}

}  // namespace mlosim::predict
