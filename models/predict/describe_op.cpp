#include "models/predict/describe_op.hpp"

#include <fmt/format.h>

#include <variant>

#include "sim/units/format.hpp"

namespace mlosim::predict {
namespace {

using work::DType;

// "bf16", or "bf16 and int4" where the second operand has another format.
std::string formats(DType first, DType second) {
  if (first == second) return std::string(work::name_of(first));
  return fmt::format("{} and {}", work::name_of(first), work::name_of(second));
}

// ", causal, window 4096"
std::string mask(bool causal, std::int64_t window) {
  return fmt::format("{}{}", causal ? ", causal" : "", window > 0 ? fmt::format(", window {}", window) : "");
}

struct Describe {
  std::string operator()(const work::Gemm& op) const {
    return fmt::format("{}m {}, n {}, k {}, {}", op.batch > 1 ? fmt::format("{} x ", op.batch) : "", op.m, op.n, op.k,
                       formats(op.activations, op.weights));
  }
  std::string operator()(const work::AttentionPrefill& op) const {
    return fmt::format("batch {}, {} queries, {} keys, {} heads, {} of keys, dim {}{}, {}", op.batch, op.seq_q,
                       op.seq_kv, op.heads, op.kv_heads, op.head_dim, mask(op.causal, op.window),
                       formats(op.dtype, op.kv_dtype));
  }
  std::string operator()(const work::AttentionDecode& op) const {
    return fmt::format("batch {}, {} keys, {} heads, {} of keys, dim {}{}, {}", op.batch, op.seq_kv, op.heads,
                       op.kv_heads, op.head_dim, mask(false, op.window), formats(op.dtype, op.kv_dtype));
  }
  std::string operator()(const work::MlaPrefill& op) const {
    return fmt::format("batch {}, {} queries, {} keys, {} heads, latent {} + {}{}, {}", op.batch, op.seq_q, op.seq_kv,
                       op.heads, op.kv_rank, op.rope_dim, mask(true, op.window), formats(op.dtype, op.kv_dtype));
  }
  std::string operator()(const work::MlaDecode& op) const {
    return fmt::format("batch {}, {} keys, {} heads, latent {} + {}, {}", op.batch, op.seq_kv, op.heads, op.kv_rank,
                       op.rope_dim, formats(op.dtype, op.kv_dtype));
  }
  std::string operator()(const work::MoeGemm& op) const {
    return fmt::format("{} tokens, {} of {} experts, {} x {}{}, tp {}, ep {}, {}", op.tokens, op.topk, op.experts,
                       op.hidden, op.inter, op.gated ? " gated" : "", op.tp, op.ep,
                       formats(op.activations, op.weights));
  }
  std::string operator()(const work::Elementwise& op) const {
    return fmt::format("{} x {}, {}", op.rows, op.cols, work::name_of(op.dtype));
  }
  std::string operator()(const work::Embedding& op) const {
    return fmt::format("{} tokens, {} of {} rows, {}", op.tokens, op.hidden, op.vocab, work::name_of(op.dtype));
  }
  std::string operator()(const work::Sampling& op) const {
    return fmt::format("{} rows of {} logits, {}", op.rows, op.vocab, work::name_of(op.dtype));
  }
  std::string operator()(const work::Collective& op) const {
    const std::string apart = op.stride == 1 ? std::string() : fmt::format(", {} chips apart", op.stride);
    return fmt::format("{} on {} ranks{}", format_short(op.bytes), op.ranks, apart);
  }
};

}  // namespace

std::string describe_shape(const work::Operator& op) { return std::visit(Describe(), op); }

}  // namespace mlosim::predict
