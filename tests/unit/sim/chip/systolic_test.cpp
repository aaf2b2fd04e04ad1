#include <gtest/gtest.h>

#include <vector>

#include "sim/chip/systolic.hpp"
#include "tests/unit/sim/chip/chips.hpp"

namespace mlosim::chip {
namespace {

using test::kCold;
using test::microseconds;
using test::price;
using test::tpu;

KernelPrice played(const work::Operator& op, const spec::ChipSpec& chip, OperandState operands = {}) {
  static const spec::RuntimeSpec runtime;
  return price_kernel(op, {.chip = chip, .runtime = runtime, .operands = operands, .sustained = true}, Fidelity::event);
}

TEST(SystolicGemm, FewRowsTakeTheWeightsTime) {
  const work::Gemm op{.m = 16, .n = 16384, .k = 8192};
  const double weights = 16384.0 * 8192 * 2 / (1e12 * 0.9) * 1e6;
  const double time = microseconds(op, tpu());
  EXPECT_GT(time, weights);
  EXPECT_LT(time, 1.03 * weights);
}

TEST(SystolicGemm, BlocksThatTheAuthorGivesAreTheOnesThatRun) {
  static const spec::RuntimeSpec runtime;
  const spec::ChipSpec chip = tpu();
  const KernelContext context{.chip = chip, .runtime = runtime, .operands = kCold, .sustained = true};
  const work::Gemm op{.m = 4096, .n = 4096, .k = 4096};
  work::Gemm small_blocks = op;
  small_blocks.tiling = {.tile_m = 128, .tile_n = 128, .tile_k = 128};
  const KernelPrice fine = price_gemm_systolic(small_blocks, context, Fidelity::analytic);
  EXPECT_EQ(fine.plan.tile_m, 128);
  EXPECT_EQ(fine.plan.tiles, 32 * 32 * 32);
  EXPECT_GT(fine.time, 5 * price_gemm_systolic(op, context, Fidelity::analytic).time);
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
  EXPECT_NEAR(microseconds(op, tpu(), kCold), 5 + 64 + bytes / (1e12 * 0.6) * 1e6, 0.1);
}

TEST(SystolicAttention, PrefillTakesItsPairsOnTheArrays) {
  const work::AttentionPrefill op{.batch = 1, .seq_q = 8192, .seq_kv = 8192, .heads = 32, .kv_heads = 8};
  const work::OpWork work = work::work_of(op);
  const double ends = work.bytes().si() / 64 / (1e12 * 0.6) * 1e6;  // the first block in and the last one out
  EXPECT_NEAR(microseconds(op, tpu(), kCold), 5 + 1 + work.matrix.si() / (262.144e12 * 0.4) * 1e6 + ends, 0.01);
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

TEST(SystolicPlay, IsNeverBelowTheBoundsAndNearTheClosedForm) {
  const std::vector<work::Operator> operators{
      work::Gemm{.m = 16, .n = 16384, .k = 8192},
      work::Gemm{.m = 4096, .n = 4096, .k = 4096},
      work::Gemm{.m = 512, .n = 512, .k = 512, .batch = 32},
      work::AttentionDecode{.batch = 64, .seq_kv = 2048, .heads = 32, .kv_heads = 8},
      work::AttentionPrefill{.batch = 2, .seq_q = 4096, .seq_kv = 4096, .heads = 32, .kv_heads = 8},
      work::MlaDecode{.batch = 8, .seq_kv = 8192},
      work::MoeGemm{.tokens = 64, .hidden = 4096, .inter = 14336, .experts = 8, .topk = 2}};
  for (const work::Operator& op : operators) {
    const KernelPrice event = played(op, tpu(), kCold);
    EXPECT_GE(event.time, event.bounds.largest());
    EXPECT_NEAR(event.time / price(op, tpu(), kCold).time, 1, 0.05) << op.index();
  }
}

TEST(SystolicPlay, AGridOfOneStepEqualsTheClosedForm) {
  spec::ChipSpec chip = tpu();
  chip.units = 1;
  const work::Gemm op{.m = 256, .n = 256, .k = 256};
  EXPECT_NEAR(played(op, chip, kCold).time / price(op, chip, kCold).time, 1, 1e-5);
}

TEST(SystolicPlay, RowsThatStreamTakeTheMemorysTimeAndTheirEnds) {
  spec::ChipSpec chip = tpu();
  const work::Elementwise op{.kind = work::ElementwiseKind::add,
                             .rows = 65536,
                             .cols = 8192,
                             .dtype = work::DType::bf16,
                             .bytes_in = Bytes(2e9),
                             .bytes_out = Bytes(1e9)};
  const double stream = 3e9 / (1e12 * 0.9) * 1e6;
  const double time = played(op, chip, kCold).time.si() * 1e6;
  EXPECT_GT(time, stream);
  EXPECT_LT(time, stream + 5);
}

}  // namespace
}  // namespace mlosim::chip
