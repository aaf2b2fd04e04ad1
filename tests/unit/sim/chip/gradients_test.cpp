// The operators of a backward pass on both kinds of chip.
#include <gtest/gtest.h>

#include <cstdint>

#include "sim/chip/moe.hpp"
#include "tests/unit/sim/chip/chips.hpp"

namespace mlosim::chip {
namespace {

using test::gpu;
using test::kCold;
using test::microseconds;
using test::price;
using test::tpu;

KernelPrice priced(const work::Operator& op, const spec::ChipSpec& chip, Fidelity fidelity) {
  static const spec::RuntimeSpec runtime;
  return price_kernel(op, {.chip = chip, .runtime = runtime, .operands = kCold, .sustained = true}, fidelity);
}

work::AttentionPrefill attention(bool backward) {
  return {
      .batch = 2, .seq_q = 4096, .seq_kv = 4096, .heads = 32, .kv_heads = 8, .appends = false, .backward = backward};
}

work::MoeGemm experts(work::MoePass pass) {
  return {.tokens = 65536, .hidden = 4096, .inter = 2048, .experts = 16, .topk = 2, .pass = pass};
}

TEST(AttentionGradients, TakeTheForwardsTimeByTheirProductsOverTheirRate) {
  for (const spec::ChipSpec& chip : {gpu(), tpu()}) {
    for (const Fidelity fidelity : {Fidelity::analytic, Fidelity::event}) {
      const KernelPrice forward = priced(attention(false), chip, fidelity);
      const KernelPrice backward = priced(attention(true), chip, fidelity);
      EXPECT_NEAR((backward.time - backward.overhead) / (forward.time - forward.overhead), 2.5 / 0.75, 0.15)
          << chip.name;
    }
  }
  EXPECT_DOUBLE_EQ(priced(attention(true), gpu(), Fidelity::roofline).time /
                       priced(attention(false), gpu(), Fidelity::roofline).time,
                   2.5);
}

TEST(AttentionGradients, AFasterBackwardKernelIsFaster) {
  spec::ChipSpec chip = gpu();
  const double slow = microseconds(attention(true), chip);
  chip.prefill.standard.backward_rate = 1;
  EXPECT_LT(microseconds(attention(true), chip), slow);
}

TEST(AttentionGradients, OfLatentAttentionAreThoseOfItsExpandedForm) {
  const work::MlaPrefill forward{.batch = 2, .seq_q = 2048, .seq_kv = 2048, .heads = 32, .appends = false};
  work::MlaPrefill backward = forward;
  backward.backward = true;
  spec::ChipSpec chip = gpu();
  EXPECT_NEAR(microseconds(backward, chip) / microseconds(forward, chip), 2.5 / 0.75, 0.3);
  const double expanded = microseconds(forward, chip);
  chip.mla_prefill.standard.absorbed = true;
  EXPECT_DOUBLE_EQ(microseconds(forward, chip), expanded);
}

TEST(AttentionPrefill, WithoutACacheRunsNoAppendKernel) { EXPECT_EQ(price(attention(false), gpu()).plan.kernels, 1); }

TEST(GemmGradients, OnArraysThatAddToTheirSumsReadThemFirst) {
  work::Gemm op{.m = 4096, .n = 4096, .k = 256, .output = work::DType::fp32, .parameters = false};
  const KernelPrice written = price(op, tpu(), kCold);
  op.accumulates = true;
  EXPECT_GT(price(op, tpu(), kCold).time, written.time);
}

TEST(GemmGradients, OnArraysReadBothOperands) {
  const work::Gemm op{.m = 8192, .n = 128, .k = 65536, .parameters = false};
  const KernelPrice product = price(op, tpu(), kCold);
  EXPECT_GE(product.plan.device_read.si(), 2.0 * (8192 + 128) * 65536);
}

TEST(ExpertGradients, CostAsMuchMatrixWorkAsTheForward) {
  for (const spec::ChipSpec& chip : {gpu(), tpu()}) {
    for (const Fidelity fidelity : {Fidelity::analytic, Fidelity::event}) {
      const Seconds forward = priced(experts(work::MoePass::forward), chip, fidelity).time;
      for (const work::MoePass pass : {work::MoePass::input_gradient, work::MoePass::weight_gradient}) {
        const KernelPrice gradient = priced(experts(pass), chip, fidelity);
        EXPECT_NEAR(gradient.time / forward, 1, 0.25) << chip.name;
        EXPECT_GE(gradient.time, gradient.bounds.largest()) << chip.name;
      }
      const KernelPrice up = priced(experts(work::MoePass::up), chip, fidelity);
      EXPECT_NEAR(up.time / forward, 2. / 3, 0.1) << chip.name;
    }
  }
}

// What CTAs of a column share is one operand; sums and the other one pass once, however wide the matrices.
TEST(ExpertGradients, OfWideExpertsArePlayedInAboutTheTimeOfTheirClosedForm) {
  const work::MoeGemm wide{.tokens = 32768,
                           .hidden = 4096,
                           .inter = 14336,
                           .experts = 8,
                           .topk = 2,
                           .ep = 8,
                           .pass = work::MoePass::weight_gradient};
  const KernelPrice closed = priced(wide, gpu(), Fidelity::analytic), played = priced(wide, gpu(), Fidelity::event);
  EXPECT_NEAR(played.time / closed.time, 1, 0.2);
}

TEST(ExpertGradients, OfWeightsNeedNoPermutationAndTilesOfEveryMatrix) {
  const spec::ChipSpec chip = gpu();
  const spec::RuntimeSpec runtime;
  const GroupedPlan plan =
      plan_moe(experts(work::MoePass::weight_gradient),
               {.chip = chip, .runtime = runtime, .operands = {}, .sustained = true, .kernel = {}});
  EXPECT_EQ(plan.permuted, Bytes(0));
  ASSERT_EQ(plan.gemms.size(), 2U);
  const auto tiles = [&](double rows, double columns) {
    return 16 * rows / static_cast<double>(plan.row_tile) * columns / static_cast<double>(plan.column_tile);
  };
  EXPECT_DOUBLE_EQ(plan.gemms[0].tiles, tiles(2048, 4096));
  EXPECT_DOUBLE_EQ(plan.gemms[1].tiles, tiles(4096, 4096));
  EXPECT_DOUBLE_EQ(plan.gemms[0].depth, 8192);
}

TEST(TrainingPasses, TakeTheirBytesTime) {
  const double bytes = 2e9;
  const work::Elementwise adam{.kind = work::ElementwiseKind::adam,
                               .rows = 1 << 16,
                               .cols = 1 << 10,
                               .dtype = work::DType::fp32,
                               .bytes_in = Bytes(bytes * 0.6),
                               .bytes_out = Bytes(bytes * 0.4)};
  for (const spec::ChipSpec& chip : {gpu(), tpu()}) {
    const Seconds least = Bytes(bytes) / chip.device_memory().bandwidth;
    for (const Fidelity fidelity : {Fidelity::roofline, Fidelity::analytic, Fidelity::event}) {
      const Seconds time = priced(adam, chip, fidelity).time;
      EXPECT_GE(time, least * 0.95) << chip.name;
      EXPECT_LE(time, least * 1.4) << chip.name;
    }
  }
}

}  // namespace
}  // namespace mlosim::chip
