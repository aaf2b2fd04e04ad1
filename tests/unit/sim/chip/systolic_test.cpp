#include <gtest/gtest.h>

#include "sim/chip/systolic.hpp"
#include "tests/unit/sim/chip/chips.hpp"

namespace mlosim::chip {
namespace {

using test::kCold;
using test::microseconds;
using test::price;
using test::tpu;

double clocks(const ArrayProduct& product) { return array_time(tpu(), product).si() * 1e9; }

TEST(SystolicPasses, ALargeProductTakesItsRowsOverAllArrays) {
  // 8 × 8 blocks of weights over 8 arrays: 8 passes of 4096 rows, and 254 clk to fill and drain.
  EXPECT_NEAR(clocks({.m = 4096, .n = 1024, .k = 1024}), 8 * 4096 + 254, 1e-6);
}

TEST(SystolicPasses, FewRowsWaitForTheNextWeights) {
  EXPECT_NEAR(clocks({.m = 16, .n = 1024, .k = 1024}), 8 * 128 + 254, 1e-6);
  EXPECT_NEAR(clocks({.m = 128, .n = 1024, .k = 1024}), 8 * 128 + 254, 1e-6);
}

TEST(SystolicPasses, OnePassIsSharedByItsRows) {
  EXPECT_NEAR(clocks({.m = 8192, .n = 128, .k = 128}), 1024 + 254, 1e-6);
}

TEST(SystolicPasses, TheBetterOperandIsStationary) {
  EXPECT_NEAR(clocks({.m = 128, .n = 16384, .k = 128}), clocks({.m = 16384, .n = 128, .k = 128}), 1e-6);
}

TEST(SystolicPasses, FasterFormatsTakeMoreThanARowAClock) {
  EXPECT_NEAR(clocks({.m = 4096, .n = 1024, .k = 1024, .copies = 1, .arithmetic = work::DType::int8}), 4 * 4096 + 254,
              1e-6);
}

TEST(SystolicPasses, RowsArePaddedToTheVectorTile) {
  EXPECT_EQ(clocks({.m = 2049, .n = 1024, .k = 1024}), clocks({.m = 2064, .n = 1024, .k = 1024}));
  EXPECT_LT(clocks({.m = 2048, .n = 1024, .k = 1024}), clocks({.m = 2049, .n = 1024, .k = 1024}));
}

OperandBytes bf16_bytes(const ArrayProduct& p) {
  return {.a = Bytes(2 * p.m * p.k), .w = Bytes(2 * p.n * p.k), .c = Bytes(2 * p.m * p.n), .c_element = Bytes(4)};
}

TEST(BlockedTraffic, OperandsThatFitAreReadOnce) {
  const ArrayProduct product{.m = 16, .n = 16384, .k = 4096};
  const OperandBytes bytes = bf16_bytes(product);
  EXPECT_EQ(blocked_traffic(tpu(), product, bytes).read, bytes.a + bytes.w);
}

TEST(BlockedTraffic, LargeOperandsAreReadAgainAndLessOftenWithMoreScratchpad) {
  const ArrayProduct product{.m = 32768, .n = 32768, .k = 8192};
  const OperandBytes bytes = bf16_bytes(product);
  spec::ChipSpec chip = tpu();
  const Bytes small = blocked_traffic(chip, product, bytes).read;
  EXPECT_GT(small, 2 * (bytes.a + bytes.w));
  chip.levels.front().capacity *= 4;
  EXPECT_LT(blocked_traffic(chip, product, bytes).read, small);
}

TEST(SystolicGemm, FewRowsTakeTheWeightsTime) {
  const work::Gemm op{.m = 16, .n = 16384, .k = 8192};
  const double weights = 16384.0 * 8192 * 2 / (1e12 * 0.9) * 1e6;
  const double time = microseconds(op, tpu());
  EXPECT_GT(time, weights);
  EXPECT_LT(time, 1.03 * weights);
}

TEST(SystolicGemm, IsNeverBelowItsBoundsAndNeverSlowerWithMoreOfARate) {
  for (const std::int64_t m : {1, 100, 777, 8192}) {
    const work::Gemm op{.m = m, .n = 5000, .k = 3000};
    const KernelPrice base = price(op, tpu(), kCold);
    EXPECT_GE(base.time, base.bounds.largest());
    spec::ChipSpec chip = tpu();
    chip.levels.back().bandwidth *= 2;
    EXPECT_LE(price(op, chip, kCold).time, base.time);
    chip = tpu();
    chip.matrix[work::DType::bf16] *= 2;
    EXPECT_LE(price(op, chip, kCold).time, base.time);
  }
}

TEST(SystolicAttention, DecodeWalksOverTheSequences) {
  const work::AttentionDecode op{.batch = 64, .seq_kv = 2048, .heads = 32, .kv_heads = 8};
  const double bytes = work::work_of(op).bytes().si();
  EXPECT_NEAR(microseconds(op, tpu(), kCold), 5 + 64 + bytes / (1e12 * 0.6) * 1e6, 0.01);
}

TEST(SystolicAttention, PrefillTakesItsPairsOnTheArrays) {
  const work::AttentionPrefill op{.batch = 1, .seq_q = 8192, .seq_kv = 8192, .heads = 32, .kv_heads = 8};
  const double flops = work::work_of(op).matrix.si();
  EXPECT_NEAR(microseconds(op, tpu(), kCold), 5 + 1 + flops / (262.144e12 * 0.4) * 1e6, 0.01);
}

TEST(SystolicMoe, AFewTokensReadTheWeightsTheyReach) {
  const work::MoeGemm op{.tokens = 4, .hidden = 4096, .inter = 14336, .experts = 8, .topk = 2};
  const double weights = 8 * 3.0 * 4096 * 14336 * 2 / (1e12 * 0.9) * 1e6;
  EXPECT_NEAR(microseconds(op, tpu(), kCold), weights, 0.02 * weights);
}

TEST(SystolicMla, IsPricedInBothPhases) {
  const KernelPrice prefill = price(work::MlaPrefill{.batch = 1, .seq_q = 1024, .seq_kv = 1024}, tpu(), kCold);
  EXPECT_GE(prefill.time, prefill.bounds.largest());
  const KernelPrice decode = price(work::MlaDecode{.batch = 8, .seq_kv = 8192}, tpu(), kCold);
  EXPECT_GE(decode.time, decode.bounds.largest());
}

}  // namespace
}  // namespace mlosim::chip
