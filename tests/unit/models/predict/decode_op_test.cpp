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
