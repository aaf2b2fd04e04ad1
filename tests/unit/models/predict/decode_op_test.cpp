// The entries of a workload's `ops:` list.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "models/predict/workload.hpp"

namespace mlosim::predict {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using work::DType;

struct Read {
  work::Operator op;
  std::vector<std::string> mistakes;
};

Read read(const std::string& text, std::int64_t chips = 1) {
  const spec::Value document = spec::parse_document(text, "w.yaml");
  spec::Decoding decoding;
  Read result{decode_op(spec::Node(&document, "ops.0", &decoding), chips), {}};
  for (const spec::Diagnostic& d : decoding.diagnostics.list()) result.mistakes.push_back(spec::render_diagnostic(d));
  return result;
}

template <class Op>
Op op(const std::string& text, std::int64_t chips = 1) {
  const Read result = read(text, chips);
  EXPECT_THAT(result.mistakes, IsEmpty()) << text;
  return std::get<Op>(result.op);
}

TEST(DecodeOp, AGemmHasItsShapeAndFormats) {
  const auto gemm = op<work::Gemm>("{op: gemm, m: 64, n: 128, k: 256, batch: 2, dtype: fp8}");
  EXPECT_EQ(gemm, (work::Gemm{.m = 64,
                              .n = 128,
                              .k = 256,
                              .batch = 2,
                              .activations = DType::fp8,
                              .weights = DType::fp8,
                              .output = DType::bf16}));
  const auto mixed =
      op<work::Gemm>("{op: gemm, m: 64, n: 128, k: 256, dtype: bf16, weights_dtype: int4, quantise: true}");
  EXPECT_EQ(mixed.weights, DType::int4);
  EXPECT_TRUE(mixed.quantise_activations);
}

TEST(DecodeOp, AResultIsAsWideAsItsOperandsOrWider) {
  const auto output = [](const std::string& dtype) {
    return op<work::Gemm>("{op: gemm, m: 1, n: 1, k: 1, dtype: " + dtype + "}").output;
  };
  EXPECT_EQ(output("fp16"), DType::fp16);
  EXPECT_EQ(output("fp32"), DType::fp32);
  EXPECT_EQ(output("tf32"), DType::fp32);
  EXPECT_EQ(output("int8"), DType::bf16);
}

TEST(DecodeOp, FormatsAreReadInTheSpellingsOfMeasurementTables) {
  EXPECT_EQ(op<work::Gemm>("{op: gemm, m: 1, n: 1, k: 1, dtype: bfloat16}").activations, DType::bf16);
  EXPECT_EQ(op<work::Gemm>("{op: gemm, m: 1, n: 1, k: 1, dtype: float16}").activations, DType::fp16);
  EXPECT_EQ(op<work::Gemm>("{op: gemm, m: 1, n: 1, k: 1, dtype: float32}").activations, DType::fp32);
}

TEST(DecodeOp, AttentionTakesItsDefaultsFromItsShape) {
  const auto prefill = op<work::AttentionPrefill>("{op: attention_prefill, seq_q: 100, heads: 8, head_dim: 64}");
  EXPECT_EQ(prefill.seq_kv, 100);
  EXPECT_EQ(prefill.kv_heads, 8);
  EXPECT_EQ(prefill.value_dim, 64);
  EXPECT_TRUE(prefill.causal);
  const auto decode = op<work::AttentionDecode>(
      "{op: attention_decode, batch: 4, seq_kv: 100, heads: 8, kv_heads: 2, head_dim: 64, kv_dtype: fp8}");
  EXPECT_EQ(decode.dtype, DType::bf16);
  EXPECT_EQ(decode.kv_dtype, DType::fp8);
  EXPECT_EQ(op<work::MlaPrefill>("{op: mla_prefill, seq_q: 7, heads: 16}").seq_kv, 7);
  EXPECT_EQ(op<work::MlaDecode>("{op: mla_decode, seq_kv: 7, heads: 16}").kv_rank, 512);
}

TEST(DecodeOp, ExpertsAreBalancedOrFollowAPowerLaw) {
  const std::string shape = "op: moe_gemm, tokens: 64, hidden: 32, inter: 16, experts: 8, topk: 2";
  EXPECT_EQ(op<work::MoeGemm>("{" + shape + "}").distribution, work::ExpertDistribution::balanced);
  const auto skewed = op<work::MoeGemm>("{" + shape + ", distribution: power_law_1.2, ep: 4, tp: 2}");
  EXPECT_EQ(skewed.distribution, work::ExpertDistribution::power_law);
  EXPECT_EQ(skewed.exponent, 1.2);
  EXPECT_EQ(skewed.ep, 4);
  for (const char* wrong : {"uniform", "power_law", "power_law_", "power_law_x", "power_law_-1", "power_law_nan",
                            "power_law_99", "power_law_1.2x"}) {
    EXPECT_THAT(read("{" + shape + ", distribution: " + wrong + "}").mistakes,
                ElementsAre(HasSubstr("unknown distribution")))
        << wrong;
  }
}

TEST(DecodeOp, ElementwiseOperatorsAreNamedByThemselves) {
  for (const char* name : {"softmax", "layernorm", "rmsnorm", "add_rmsnorm", "gelu", "relu", "silu", "silu_mul",
                           "gelu_mul", "add", "mul", "copy", "cast", "rope"}) {
    const auto elementwise = op<work::Elementwise>(std::string("{op: ") + name + ", rows: 4, cols: 8}");
    EXPECT_EQ(work::name_of(elementwise.kind), name);
    EXPECT_GT(elementwise.bytes_in, Bytes(0));
  }
  EXPECT_EQ(op<work::Elementwise>("{op: quantize, rows: 4, cols: 8}").kind, work::ElementwiseKind::quantise);
}

TEST(DecodeOp, ACollectivesBytesAreANumberOrAQuantity) {
  EXPECT_EQ(op<work::Collective>("{op: collective, kind: all_reduce, bytes: 1048576, ranks: 8}").bytes, Bytes(1 << 20));
  EXPECT_EQ(op<work::Collective>("{op: collective, kind: all_gather, bytes: 1 MiB, ranks: 8}").bytes, Bytes(1 << 20));
  EXPECT_EQ(op<work::Collective>("{op: collective, kind: p2p, bytes: 1e6, ranks: 2}").bytes, Bytes(1e6));
}

TEST(DecodeOp, ACollectiveRunsOnTheWorkloadsChips) {
  EXPECT_EQ(op<work::Collective>("{op: collective, kind: all_reduce, bytes: 1}", 8).ranks, 8);
  EXPECT_EQ(op<work::Collective>("{op: collective, kind: all_reduce, bytes: 1, ranks: 4}", 8).ranks, 4);
  EXPECT_THAT(read("{op: collective, kind: all_reduce, bytes: 1}").mistakes,
              ElementsAre(HasSubstr("a collective needs at least 2 ranks")));
}

TEST(DecodeOp, WhatCannotBeIsAMistake) {
  EXPECT_THAT(read("{op: attention_decode, seq_kv: 1, heads: 8, kv_heads: 3, head_dim: 64}").mistakes,
              ElementsAre(HasSubstr("3 does not divide 8 heads")));
  EXPECT_THAT(read("{op: attention_prefill, seq_q: 10, seq_kv: 5, heads: 8, head_dim: 64}").mistakes,
              ElementsAre(HasSubstr("at most seq_kv queries")));
  EXPECT_THAT(read("{op: moe_gemm, tokens: 1, hidden: 1, inter: 1, experts: 4, topk: 5}").mistakes,
              ElementsAre(HasSubstr("5 of 4 experts cannot be chosen")));
  EXPECT_THAT(read("{op: moe_gemm, tokens: 1, hidden: 1, inter: 1, experts: 4, topk: 1, ep: 3}").mistakes,
              ElementsAre(HasSubstr("3 does not divide 4 experts")));
  EXPECT_THAT(read("{op: gemm, m: 1, n: 1, k: 1, dtype: int4}").mistakes,
              ElementsAre(HasSubstr("int4 is a format of weights only; write dtype: bf16 and weights_dtype: int4")));
}

work::Tiling tiling(const std::string& plan) {
  return op<work::Gemm>("{op: gemm, m: 512, n: 512, k: 4096, plan: " + plan + "}").tiling;
}

TEST(DecodeOp, APlanTilesAGemm) {
  EXPECT_EQ(
      tiling("{tile: [128, 256, 64], stages: 4, split_k: 2, cluster: [2, 1]}"),
      (work::Tiling{
          .tile_m = 128, .tile_n = 256, .tile_k = 64, .stages = 4, .split_k = 2, .cluster_m = 2, .cluster_n = 1}));
  EXPECT_EQ(tiling("{split_k: 4}"), (work::Tiling{.split_k = 4}));
  EXPECT_EQ(op<work::Gemm>("{op: gemm, m: 1, n: 1, k: 1}").tiling, work::Tiling{});
}

TEST(DecodeOp, APlanThatCannotBeIsAMistakeAtItsPlace) {
  const auto mistake = [](const std::string& plan) {
    const Read result = read("{op: gemm, m: 512, n: 512, k: 4096, plan: " + plan + "}");
    EXPECT_THAT(result.mistakes, SizeIs(1)) << plan;
    return result.mistakes.empty() ? "" : result.mistakes.front();
  };
  EXPECT_THAT(mistake("{tile: [128, 256]}"), HasSubstr("w.yaml:1:49: ops.0.plan.tile: expected 3 whole numbers"));
  EXPECT_THAT(mistake("{tile: [128, 256, 64, 1]}"), HasSubstr("not 4; tile: [128, 256, 64]"));
  EXPECT_THAT(mistake("{tile: 128}"), HasSubstr("ops.0.plan.tile: expected a list"));
  EXPECT_THAT(mistake("{tile: [128, 0, 64]}"), HasSubstr("ops.0.plan.tile.1: '0' is less than 1"));
  EXPECT_THAT(mistake("{tile: [128, 1e9, 64]}"), HasSubstr("beyond what can be meant; at most 1048576"));
  EXPECT_THAT(mistake("{tile: [128, 64.5, 64]}"), HasSubstr("not a whole number"));
  EXPECT_THAT(mistake("{tile: [128, 128, 64], stages: 0}"), HasSubstr("ops.0.plan.stages: '0' is less than 1"));
  EXPECT_THAT(mistake("{tile: [128, 128, 64], stages: 5000}"), HasSubstr("at most 1024"));
  EXPECT_THAT(mistake("{stages: 4}"), HasSubstr("there is no tile"));
  EXPECT_THAT(mistake("{split_k: 0}"), HasSubstr("ops.0.plan.split_k: '0' is less than 1"));
  EXPECT_THAT(mistake("{tile: [128, 128, 64], split_k: 65}"), HasSubstr("65 parts are more than the 64 steps of k"));
  EXPECT_THAT(mistake("{cluster: [2]}"), HasSubstr("ops.0.plan.cluster: expected 2 whole numbers"));
  EXPECT_THAT(mistake("{cluster: [8, 4]}"), HasSubstr("32 CTAs are more than a chip schedules together; at most 16"));
  EXPECT_THAT(mistake("{tyle: [128, 128, 64]}"), HasSubstr("did you mean 'tile'?"));
  EXPECT_THAT(mistake("{}"), HasSubstr("ops.0.plan: a plan says how a kernel is tiled; plan: {tile:"));
  EXPECT_THAT(mistake("128x256"), HasSubstr("ops.0.plan: a plan says how a kernel is tiled"));
}

TEST(DecodeOp, OperatorsWithoutTilesOfTheirAuthorTakeNoPlan) {
  EXPECT_THAT(read("{op: softmax, rows: 4, cols: 8, plan: {tile: [1, 1, 1]}}").mistakes,
              ElementsAre(HasSubstr("ops.0.plan: 'softmax' takes no plan; only the tiles of a gemm can be fixed")));
  EXPECT_THAT(read("{op: attention_decode, seq_kv: 1, heads: 8, head_dim: 64, plan: {}}").mistakes,
              ElementsAre(HasSubstr("'attention_decode' takes no plan")));
}

TEST(DecodeOp, AllMistakesOfAnEntryAreReported) {
  EXPECT_THAT(read("{op: gemm, m: 0, n: 1.5, kk: 3, dtype: fp17}").mistakes, SizeIs(5));
}

TEST(DecodeOp, AnUnknownOperatorIsOneMistake) {
  EXPECT_THAT(read("{op: conv2d, rows: 4, filters: 8}").mistakes,
              ElementsAre(HasSubstr("ops.0.op: unknown value 'conv2d'")));
  EXPECT_THAT(read("{op: gem, m: 1, n: 1, k: 1}").mistakes, ElementsAre(HasSubstr("did you mean 'gemm'?")));
  EXPECT_THAT(read("{m: 1}").mistakes, ElementsAre(HasSubstr("key 'op' is missing")));
  EXPECT_THAT(read("gemm").mistakes, SizeIs(1));
}

}  // namespace
}  // namespace mlosim::predict
