// Kernels played tile by tile, against their closed forms and bounds.
#include <gtest/gtest.h>

#include "tests/unit/sim/chip/chips.hpp"

namespace mlosim::chip::test {
namespace {

// The GEMM parameters of a library with one tile, on the made-up GPU.
spec::ChipSpec gemm_gpu() {
  spec::ChipSpec chip = gpu();
  spec::GemmParameters& g = chip.gemm.standard;
  g = gemm_kernels();
  g.splits = {1, 2, 4};
  g.prologue = 1000;
  g.k_step = 100;
  g.split_reduction = Seconds(2e-6);
  g.overlap_norm = 4.5;
  g.rotating_share = 0.4;
  return chip;
}

KernelPrice price_as(const work::Operator& op, const spec::ChipSpec& chip, Fidelity fidelity,
                     std::int64_t max_events = kMaxEvents) {
  static const spec::RuntimeSpec runtime;
  return price_kernel(op, {.chip = chip, .runtime = runtime, .operands = {}, .max_events = max_events}, fidelity);
}

TEST(PlayKernel, OneCtaOfAGemmTakesWhatTheClosedFormSays) {
  const work::Gemm one{.m = 128, .n = 128, .k = 4096, .tiling = {.tile_m = 128, .tile_n = 128, .tile_k = 64}};
  const Seconds analytic = price_as(one, gemm_gpu(), Fidelity::analytic).time;
  EXPECT_NEAR(price_as(one, gemm_gpu(), Fidelity::event).time / analytic, 1, 2e-3);
}

TEST(PlayKernel, AFullWaveOfAComputeBoundGemmTakesWhatTheClosedFormSays) {
  const work::Gemm wave{.m = 1280, .n = 1280, .k = 4096, .tiling = {.tile_m = 128, .tile_n = 128, .tile_k = 64}};
  const Seconds analytic = price_as(wave, gemm_gpu(), Fidelity::analytic).time;
  EXPECT_NEAR(price_as(wave, gemm_gpu(), Fidelity::event).time / analytic, 1, 0.03);
}

TEST(PlayKernel, CausesAddUpToTheTime) {
  for (const work::Operator& op :
       {work::Operator(work::Gemm{.m = 3000, .n = 5000, .k = 2000}),
        work::Operator(work::AttentionPrefill{.batch = 2, .seq_q = 3000, .seq_kv = 3000, .heads = 16, .kv_heads = 4}),
        work::Operator(work::AttentionDecode{.batch = 20, .seq_kv = 5000, .heads = 32, .kv_heads = 8}),
        work::Operator(work::MoeGemm{.tokens = 500, .hidden = 2048, .inter = 4096, .experts = 16, .topk = 2})}) {
    const KernelPrice p = price_as(op, gemm_gpu(), Fidelity::event);
    const TimeByCause& c = p.causes;
    const Seconds sum =
        c.launch + c.fill + c.compute + c.load + c.latency + c.store + c.tail + c.power + c.other_kernels;
    EXPECT_NEAR(sum / p.time, 1, 1e-9) << work::name_of(op);
    EXPECT_GT(p.events, 0u);
  }
}

TEST(PlayKernel, FewerEventsThanAPlayNeedsFoldWavesAndKeepTheTime) {
  const work::Gemm large{.m = 16384, .n = 16384, .k = 4096};
  const KernelPrice fine = price_as(large, gemm_gpu(), Fidelity::event, 10'000'000),
                    coarse = price_as(large, gemm_gpu(), Fidelity::event, 20'000);
  EXPECT_LT(coarse.events, fine.events / 4);
  EXPECT_NEAR(coarse.time / fine.time, 1, 0.02);
}

TEST(PlayKernel, KernelsOfMillionsOfCtasArePricedInClosedForm) {
  const work::Gemm op{.m = 1'000'000'000, .n = 1'000'000'000, .k = 64};
  const KernelPrice price = price_as(op, gemm_gpu(), Fidelity::event);
  EXPECT_EQ(price.events, 0u);
  EXPECT_EQ(price.time, price_as(op, gemm_gpu(), Fidelity::analytic).time);
}

TEST(PlayKernel, CausalRowsOfUnequalLengthLeaveATail) {
  const work::AttentionPrefill causal{.batch = 1, .seq_q = 8192, .seq_kv = 8192, .heads = 2, .kv_heads = 2};
  work::AttentionPrefill full = causal;
  full.causal = false;
  const KernelPrice a = price_as(causal, gemm_gpu(), Fidelity::event), b = price_as(full, gemm_gpu(), Fidelity::event);
  EXPECT_GT(a.causes.tail / a.time, b.causes.tail / b.time);
  EXPECT_LT(a.time, b.time);
}

TEST(PlayKernel, UnevenExpertsTakeLongerThanEvenOnes) {
  work::MoeGemm moe{.tokens = 4000, .hidden = 2048, .inter = 4096, .experts = 16, .topk = 2, .ep = 4};
  const Seconds even = price_as(moe, gemm_gpu(), Fidelity::event).time;
  moe.distribution = work::ExpertDistribution::power_law;
  moe.exponent = 1.2;
  EXPECT_GT(price_as(moe, gemm_gpu(), Fidelity::event).time, even);
}

TEST(PlayKernel, TilesOfTheAuthorAreKept) {
  work::Gemm op{.m = 4096, .n = 4096, .k = 4096};
  op.tiling = {.tile_m = 64, .tile_n = 128, .tile_k = 64, .stages = 3, .split_k = 2};
  for (const Fidelity fidelity : {Fidelity::analytic, Fidelity::event}) {
    const KernelPlan plan = price_as(op, gemm_gpu(), fidelity).plan;
    EXPECT_EQ(plan.tile_m, 64);
    EXPECT_EQ(plan.tile_n, 128);
    EXPECT_EQ(plan.split, 2);
  }
}

TEST(PlayKernel, MoreStagesOfTheAuthorHideMoreLatency) {
  spec::ChipSpec chip = gemm_gpu();
  chip.matrix[work::DType::bf16] = Flops(8000);  // what feeds it binds
  for (spec::MemoryLevel& level : chip.levels) level.bandwidth *= 10;
  work::Gemm op{.m = 12800, .n = 128, .k = 8192};
  op.tiling = {.tile_m = 128, .tile_n = 128, .tile_k = 32, .stages = 1};
  const Seconds one = price_as(op, chip, Fidelity::event).time;
  op.tiling.stages = 4;
  EXPECT_LT(price_as(op, chip, Fidelity::event).time, one * 0.8);
}

TEST(PlayKernel, TilesBeyondRegistersOrSharedMemoryAreRefused) {
  work::Gemm op{.m = 4096, .n = 4096, .k = 4096};
  op.tiling = {.tile_m = 512, .tile_n = 256, .tile_k = 64};
  EXPECT_THROW(price_as(op, gemm_gpu(), Fidelity::event), spec::InputError);
  op.tiling = {.tile_m = 128, .tile_n = 128, .tile_k = 64, .stages = 40};
  EXPECT_THROW(price_as(op, gemm_gpu(), Fidelity::analytic), spec::InputError);
}

TEST(PlayKernel, EmptyPartsOfAConstantNumberTakeTheirTurn) {
  spec::ChipSpec chip = gpu();
  chip.decode.standard.split = spec::KeySplit::constant;
  chip.decode.standard.parts = 8;
  const work::AttentionDecode op{.batch = 200, .seq_kv = 16, .heads = 8, .kv_heads = 1};
  EXPECT_GT(price_as(op, chip, Fidelity::event).time, Seconds(16 * 2e-6));  // 1600 CTAs of 2000 clk on 100 units
}

TEST(PlayKernel, ADecodingCtaLoadsNoMoreKeysThanThereAre) {
  const work::AttentionDecode op{.batch = 100, .seq_kv = 16, .heads = 8, .kv_heads = 8};
  const Bytes keys(100.0 * 16 * 8 * 128 * 2 * 2), rows(2 * 100.0 * 8 * 128 * 2);
  EXPECT_LT(price_as(op, gpu(), Fidelity::event).plan.shared_cache, 1.1 * (keys + rows));
}

}  // namespace
}  // namespace mlosim::chip::test
