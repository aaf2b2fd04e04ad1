// Flops and bytes of every operator against numbers derived by hand; the derivation stands beside each.
#include "sim/work/operator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace mlosim::work {
namespace {

TEST(Operator, GemmReadsBothOperandsOnceAndWritesTheResult) {
  const OpWork w = work_of(Gemm{.m = 2, .n = 3, .k = 4, .batch = 5});
  EXPECT_EQ(w.matrix.si(), 2 * 5 * 2 * 3 * 4);
  EXPECT_EQ(w.weights.si(), 5 * 3 * 4 * 2);
  EXPECT_EQ(w.read.si(), 5 * (2 * 4 + 3 * 4) * 2);
  EXPECT_EQ(w.written.si(), 5 * 2 * 3 * 2);
  EXPECT_EQ(w.bytes(), w.read + w.written);
}

TEST(Operator, GemmOfTwoActivationsHoldsNoParameters) {
  const OpWork product = work_of(Gemm{.m = 2, .n = 3, .k = 4, .parameters = false});
  const OpWork layer = work_of(Gemm{.m = 2, .n = 3, .k = 4});
  EXPECT_EQ(product.weights.si(), 0);
  EXPECT_EQ(product.read, layer.read);
}

TEST(Operator, GemmWithDynamicQuantisationAlsoReadsTheWideActivationsAndWritesTheNarrowOnes) {
  const OpWork w = work_of(Gemm{.m = 2,
                                .n = 3,
                                .k = 4,
                                .batch = 5,
                                .activations = DType::fp8,
                                .weights = DType::fp8,
                                .quantise_activations = true});
  EXPECT_EQ(w.weights.si(), 5 * 3 * 4);
  EXPECT_EQ(w.read.si(), 5 * (2 * 4 + 3 * 4) + 5 * 2 * 4 * 2);
  EXPECT_EQ(w.written.si(), 5 * 2 * 3 * 2 + 5 * 2 * 4);
  EXPECT_EQ(w.vector.si(), 2 * 5 * 2 * 4);
}

TEST(Operator, GemmRunsInTheWiderOfItsOperandsArithmetics) {
  EXPECT_EQ(work_of(Gemm{.weights = DType::int4}).matrix_dtype, DType::bf16);
  EXPECT_EQ(work_of(Gemm{.weights = DType::fp8}).matrix_dtype, DType::bf16);
  EXPECT_EQ(work_of(Gemm{.activations = DType::fp8, .weights = DType::fp8}).matrix_dtype, DType::fp8);
  EXPECT_EQ(work_of(Gemm{.activations = DType::mxfp8, .weights = DType::mxfp4}).matrix_dtype, DType::fp8);
  EXPECT_EQ(work_of(Gemm{.activations = DType::nvfp4, .weights = DType::nvfp4}).matrix_dtype, DType::nvfp4);
}

TEST(Operator, CausalPrefillCountsTheTriangle) {
  const OpWork w = work_of(
      AttentionPrefill{.batch = 2, .seq_q = 3, .seq_kv = 3, .heads = 4, .kv_heads = 2, .head_dim = 8, .value_dim = 8});
  const double pairs = 2 * 4 * (1 + 2 + 3);
  EXPECT_EQ(w.matrix.si(), 2 * pairs * (8 + 8));
  EXPECT_EQ(w.exponentials, pairs);
  EXPECT_EQ(w.read.si(), 2 * 3 * 4 * 8 * 2 + 2 * 3 * 2 * (8 + 8) * 2);
  EXPECT_EQ(w.written.si(), 2 * 3 * 4 * 8 * 2);
  EXPECT_EQ(w.weights.si(), 0);
}

TEST(Operator, PrefillCountsKeysAndValuesOfTheirOwnWidths) {
  const OpWork w = work_of(
      AttentionPrefill{.batch = 2, .seq_q = 3, .seq_kv = 3, .heads = 4, .kv_heads = 2, .head_dim = 8, .value_dim = 4});
  EXPECT_EQ(w.matrix.si(), 2 * 48 * (8 + 4));
  EXPECT_EQ(w.read.si(), 2 * 3 * 4 * 8 * 2 + 2 * 3 * 2 * (8 + 4) * 2);
  EXPECT_EQ(w.written.si(), 2 * 3 * 4 * 4 * 2);
}

TEST(Operator, AWindowedChunkReadsNoKeysThatSlidOut) {
  const OpWork chunk = work_of(AttentionPrefill{
      .batch = 1, .seq_q = 4, .seq_kv = 100, .heads = 1, .kv_heads = 1, .head_dim = 8, .value_dim = 8, .window = 10});
  EXPECT_EQ(chunk.read.si(), 4 * 8 * 2 + 13 * 16 * 2);
}

TEST(Operator, WindowedPrefillSkipsWhatNoQuerySees) {
  const OpWork w = work_of(AttentionPrefill{
      .batch = 2, .seq_q = 3, .seq_kv = 3, .heads = 4, .kv_heads = 2, .head_dim = 8, .value_dim = 8, .window = 2});
  EXPECT_EQ(w.matrix.si(), 2 * (2 * 4 * (1 + 2 + 2)) * 16);
}

TEST(Operator, DecodeReadsTheCacheOnceForEachKvHead) {
  const AttentionDecode decode{.batch = 2, .seq_kv = 10, .heads = 4, .kv_heads = 2, .head_dim = 8};
  const OpWork w = work_of(decode);
  EXPECT_EQ(w.matrix.si(), 4 * (2 * 4 * 10) * 8);
  EXPECT_EQ(w.exponentials, 2 * 4 * 10);
  EXPECT_EQ(w.read.si(), 2 * 4 * 8 * 2 + 2 * (2 * 10 * 2 * 8) * 2);
  EXPECT_EQ(w.written.si(), 2 * 4 * 8 * 2);

  AttentionDecode fp8 = decode;
  fp8.kv_dtype = DType::fp8;
  EXPECT_EQ(work_of(fp8).read.si(), 2 * 4 * 8 * 2 + 2 * (2 * 10 * 2 * 8));

  AttentionDecode windowed = decode;
  windowed.window = 4;
  EXPECT_EQ(work_of(windowed).read.si(), 2 * 4 * 8 * 2 + 2 * (2 * 4 * 2 * 8) * 2);
  EXPECT_EQ(work_of(windowed).matrix.si(), 4 * (2 * 4 * 4) * 8);
}

TEST(Operator, MlaPrefillExpandsPerHeadOrSharesOneLatent) {
  MlaPrefill prefill{
      .batch = 1, .seq_q = 4, .seq_kv = 4, .heads = 2, .kv_rank = 8, .nope_dim = 4, .rope_dim = 2, .value_dim = 3};
  const double pairs = 2 * (1 + 2 + 3 + 4);
  OpWork w = work_of(prefill);
  EXPECT_EQ(w.matrix.si(), 2 * pairs * (4 + 2 + 3));
  EXPECT_EQ(w.read.si(), 4 * 2 * 6 * 2 + 4 * 2 * (6 + 3) * 2);
  EXPECT_EQ(w.written.si(), 4 * 2 * 3 * 2);

  prefill.absorbed = true;
  w = work_of(prefill);
  EXPECT_EQ(w.matrix.si(), 2 * pairs * (8 + 2 + 8));
  EXPECT_EQ(w.read.si(), 4 * 2 * 10 * 2 + 4 * 10 * 2);
  EXPECT_EQ(w.written.si(), 4 * 2 * 8 * 2);

  prefill.window = 2;
  EXPECT_EQ(work_of(prefill).matrix.si(), 2 * (2 * (1 + 2 + 2 + 2)) * 18);
}

TEST(Operator, MlaDecodeReadsTheLatentOnceForAllHeads) {
  const OpWork w = work_of(MlaDecode{.batch = 2, .seq_kv = 5, .heads = 3, .kv_rank = 8, .rope_dim = 2});
  EXPECT_EQ(w.matrix.si(), 2 * (2 * 3 * 5) * (8 + 2 + 8));
  EXPECT_EQ(w.read.si(), 2 * 3 * 10 * 2 + 2 * 5 * 10 * 2);
  EXPECT_EQ(w.written.si(), 2 * 3 * 8 * 2);
}

TEST(Operator, MoeCountsTheRowsAndTouchedExpertsOfOneEvenlyLoadedRank) {
  MoeGemm moe{.tokens = 4, .hidden = 8, .inter = 6, .experts = 2, .topk = 2};
  OpWork w = work_of(moe);
  EXPECT_EQ(w.matrix.si(), 2 * (4 * 2) * 8 * 6 * 3);
  EXPECT_EQ(w.weights.si(), 2 * 8 * 6 * 3 * 2);
  EXPECT_EQ(w.read.si(), w.weights.si() + 4 * 8 * 2);
  EXPECT_EQ(w.written.si(), 4 * 8 * 2);
  EXPECT_EQ(w.exponentials, 4 * 2 * 6);

  moe.gated = false;
  EXPECT_EQ(work_of(moe).matrix.si(), 2 * (4 * 2) * 8 * 6 * 2);
  moe.gated = true;
  moe.tp = 2;
  EXPECT_EQ(work_of(moe).matrix.si(), 2 * (4 * 2) * 8 * 3 * 3);
  EXPECT_EQ(work_of(moe).weights.si(), 2 * 8 * 3 * 3 * 2);
  moe.tp = 1;
  moe.ep = 2;
  EXPECT_EQ(work_of(moe).matrix.si(), 2 * (4 * 2 / 2) * 8 * 6 * 3);
  EXPECT_EQ(work_of(moe).weights.si(), 1 * 8 * 6 * 3 * 2);
}

TEST(Operator, GradientsOfAttentionComputeTheScoresAgain) {
  AttentionPrefill op{.batch = 2, .seq_q = 8, .seq_kv = 8, .heads = 4, .kv_heads = 2, .head_dim = 16, .value_dim = 16};
  const OpWork forward = work_of(op);
  op.backward = true;
  const OpWork backward = work_of(op);
  EXPECT_DOUBLE_EQ(backward.matrix.si(), 2.5 * forward.matrix.si());
  EXPECT_EQ(backward.exponentials, forward.exponentials);
  // The output and its gradient come on top of what the forward reads; each operand has a gradient.
  EXPECT_EQ(backward.read, forward.read + 2 * forward.written);
  EXPECT_EQ(backward.written, forward.read);
}

TEST(Operator, AGemmThatAccumulatesReadsWhatItAddsTo) {
  Gemm op{.m = 4, .n = 6, .k = 8, .output = DType::fp32, .parameters = false};
  const OpWork alone = work_of(op);
  op.accumulates = true;
  EXPECT_EQ(work_of(op).read, alone.read + Bytes(4 * 6 * 4));
}

TEST(Operator, GradientsOfExpertsTakeTheForwardsProducts) {
  MoeGemm moe{.tokens = 4, .hidden = 8, .inter = 6, .experts = 2, .topk = 2};
  const OpWork forward = work_of(moe);
  moe.pass = MoePass::input_gradient;
  EXPECT_EQ(work_of(moe).matrix, forward.matrix);
  EXPECT_EQ(work_of(moe).weights, forward.weights);
  moe.pass = MoePass::weight_gradient;
  EXPECT_EQ(work_of(moe).matrix, forward.matrix);
  EXPECT_EQ(work_of(moe).weights, Bytes(0));
  EXPECT_EQ(work_of(moe).written, Bytes(2 * 8 * 6 * 3 * 4));
  moe.pass = MoePass::up;
  EXPECT_DOUBLE_EQ(work_of(moe).matrix.si(), forward.matrix.si() * 2 / 3);
}

TEST(Operator, ElementwiseMovesAsManyTensorsAsItsKindNames) {
  const auto tensors = [](ElementwiseKind kind) {
    const Elementwise e = make_elementwise(kind, 2, 8, DType::bf16, DType::bf16);
    return std::pair(e.bytes_in.si() / 32, e.bytes_out.si() / 32);
  };
  const std::pair one_to_one(1.0, 1.0), two_to_one(2.0, 1.0), two_to_two(2.0, 2.0);
  for (const ElementwiseKind kind :
       {ElementwiseKind::copy, ElementwiseKind::gelu, ElementwiseKind::relu, ElementwiseKind::silu,
        ElementwiseKind::softmax, ElementwiseKind::layernorm, ElementwiseKind::rmsnorm, ElementwiseKind::rope,
        ElementwiseKind::quantise, ElementwiseKind::cast, ElementwiseKind::topk_router, ElementwiseKind::delta_rule}) {
    EXPECT_EQ(tensors(kind), one_to_one) << name_of(kind);
  }
  for (const ElementwiseKind kind :
       {ElementwiseKind::add, ElementwiseKind::mul, ElementwiseKind::silu_mul, ElementwiseKind::gelu_mul}) {
    EXPECT_EQ(tensors(kind), two_to_one) << name_of(kind);
  }
  for (const ElementwiseKind kind : {ElementwiseKind::add_layernorm, ElementwiseKind::add_rmsnorm})
    EXPECT_EQ(tensors(kind), two_to_two);
}

TEST(Operator, ElementwiseWritesItsOutputsFormat) {
  const Elementwise e = make_elementwise(ElementwiseKind::quantise, 2, 8, DType::bf16, DType::fp8);
  EXPECT_EQ(work_of(e).read.si(), 32);
  EXPECT_EQ(work_of(e).written.si(), 16);
  EXPECT_EQ(work_of(e).matrix.si(), 0);
}

TEST(Operator, SoftmaxAndActivationsEvaluateOneExponentialAnElement) {
  const auto exponentials = [](ElementwiseKind kind) {
    return work_of(make_elementwise(kind, 3, 5, DType::fp32, DType::fp32)).exponentials;
  };
  EXPECT_EQ(exponentials(ElementwiseKind::softmax), 15);
  EXPECT_EQ(exponentials(ElementwiseKind::silu_mul), 15);
  EXPECT_EQ(exponentials(ElementwiseKind::gelu), 15);
  EXPECT_EQ(exponentials(ElementwiseKind::relu), 0);
  EXPECT_EQ(exponentials(ElementwiseKind::rmsnorm), 0);
}

TEST(Operator, EmbeddingReadsOneRowAndOneIndexForEachToken) {
  const OpWork w = work_of(Embedding{.tokens = 3, .hidden = 4, .vocab = 1000});
  EXPECT_EQ(w.weights.si(), 3 * 4 * 2);
  EXPECT_EQ(w.read.si(), 3 * 4 * 2 + 3 * 4);
  EXPECT_EQ(w.written.si(), 3 * 4 * 2);
}

TEST(Operator, SamplingReadsTheLogitsAndWritesOneIndexARow) {
  const OpWork w = work_of(Sampling{.rows = 2, .vocab = 10});
  EXPECT_EQ(w.read.si(), 2 * 10 * 4);
  EXPECT_EQ(w.written.si(), 2 * 4);
  EXPECT_EQ(w.exponentials, 20);
}

TEST(Operator, CollectiveReadsAndWritesItsBufferAndComputesNothing) {
  const OpWork w = work_of(Collective{.bytes = Bytes(1e6), .ranks = 8});
  EXPECT_EQ(w.read.si(), 1e6);
  EXPECT_EQ(w.written.si(), 1e6);
  EXPECT_EQ(w.matrix.si(), 0);
}

TEST(Operator, NamesAreTheContracts) {
  EXPECT_EQ(name_of(Operator(Gemm{})), "gemm");
  EXPECT_EQ(name_of(Operator(AttentionPrefill{})), "attention_prefill");
  EXPECT_EQ(name_of(Operator(AttentionDecode{})), "attention_decode");
  EXPECT_EQ(name_of(Operator(MlaPrefill{})), "mla_prefill");
  EXPECT_EQ(name_of(Operator(MlaDecode{})), "mla_decode");
  EXPECT_EQ(name_of(Operator(MoeGemm{})), "moe_gemm");
  EXPECT_EQ(name_of(Operator(Elementwise{.kind = ElementwiseKind::silu_mul})), "silu_mul");
  EXPECT_EQ(name_of(Operator(Collective{.kind = CollectiveKind::reduce_scatter})), "reduce_scatter");
}

// What the closed form must equal: one row at a time.
double counted_pairs(std::int64_t seq_q, std::int64_t seq_kv, bool causal, std::int64_t window) {
  std::int64_t pairs = 0;
  for (std::int64_t row = 0; row < seq_q; ++row) {
    std::int64_t seen = causal ? std::clamp<std::int64_t>(seq_kv - seq_q + 1 + row, 0, seq_kv) : seq_kv;
    if (window > 0) seen = std::min(seen, window);
    pairs += seen;
  }
  return static_cast<double>(pairs);
}

TEST(AttentionPairs, EqualACountRowByRow) {
  for (std::int64_t q = 1; q <= 12; ++q) {
    for (std::int64_t kv = 1; kv <= 12; ++kv) {
      for (std::int64_t window = 0; window <= 14; ++window) {
        for (const bool causal : {false, true}) {
          ASSERT_EQ(attention_pairs(q, kv, causal, window), counted_pairs(q, kv, causal, window))
              << "q " << q << " kv " << kv << " window " << window << " causal " << causal;
        }
      }
    }
  }
}

TEST(TouchedExperts, AreThoseOfOneTokenThenMoreAndNeverMoreThanAll) {
  EXPECT_DOUBLE_EQ(touched_experts(1, 8, 2), 2);
  EXPECT_DOUBLE_EQ(touched_experts(2, 4, 1), 4 * (1 - std::pow(0.75, 2)));
  EXPECT_DOUBLE_EQ(touched_experts(7, 8, 8), 8);
  double before = 0;
  for (std::int64_t tokens = 1; tokens <= 64; ++tokens) {
    const double now = touched_experts(tokens, 16, 2);
    EXPECT_GT(now, before);
    EXPECT_LE(now, std::min(16.0, 2.0 * static_cast<double>(tokens)));
    before = now;
  }
}

}  // namespace
}  // namespace mlosim::work
