#include "validate/compare/latent_layer.hpp"

#include <variant>

namespace mlosim::compare {
namespace {

std::vector<work::Operator> around(const work::MlaPrefill& op) {
  const std::int64_t tokens = op.batch * op.seq_kv;
  const work::Gemm expand{.m = tokens,
                          .n = op.heads * (op.nope_dim + op.value_dim),
                          .k = op.kv_rank,
                          .activations = op.dtype,
                          .weights = op.dtype,
                          .output = op.dtype};
  const std::int64_t copied = op.heads * (op.nope_dim + op.rope_dim + op.value_dim);
  return {expand, work::make_elementwise(work::ElementwiseKind::copy, tokens, copied, op.dtype, op.dtype)};
}

std::vector<work::Operator> around(const work::MlaDecode& op) {
  // The step itself works in the latent space; the heads' own widths are those of the prompts that filled its cache.
  const work::MlaPrefill heads;
  work::Gemm absorb{.m = op.batch,
                    .n = op.kv_rank,
                    .k = heads.nope_dim,
                    .batch = op.heads,
                    .activations = op.dtype,
                    .weights = op.dtype,
                    .output = op.dtype};
  work::Gemm expand = absorb;
  expand.n = heads.value_dim;
  expand.k = op.kv_rank;
  return {absorb, expand};
}

}  // namespace

std::vector<work::Operator> operators_around_latent_attention(const work::Operator& op) {
  if (const auto* prefill = std::get_if<work::MlaPrefill>(&op)) return around(*prefill);
  if (const auto* decode = std::get_if<work::MlaDecode>(&op)) return around(*decode);
  return {};
}

}  // namespace mlosim::compare
