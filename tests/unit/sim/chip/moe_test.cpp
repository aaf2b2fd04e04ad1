#include "sim/chip/moe.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "sim/chip/expert_load.hpp"
#include "tests/unit/sim/chip/chips.hpp"

namespace mlosim::chip {
namespace {

using test::gpu;
using test::kCold;
using test::microseconds;
using test::price;

double rows_of(const work::MoeGemm& op) {
  double rows = 0;
  for (const ExpertLoad& load : heaviest_rank_loads(op)) rows += load.experts * load.tokens;
  return rows;
}

double reached_by(const work::MoeGemm& op) {
  double experts = 0;
  for (const ExpertLoad& load : heaviest_rank_loads(op)) experts += load.tokens > 0 ? load.experts : 0;
  return experts;
}

work::MoeGemm layer(std::int64_t tokens) {
  return {.tokens = tokens, .hidden = 4096, .inter = 2048, .experts = 64, .topk = 8};
}

work::MoeGemm skewed(std::int64_t tokens, double exponent) {
  work::MoeGemm op = layer(tokens);
  op.distribution = work::ExpertDistribution::power_law;
  op.exponent = exponent;
  return op;
}

TEST(ExpertLoads, BalancedRowsAreSharedEvenly) {
  const std::vector<ExpertLoad> loads = heaviest_rank_loads(layer(1024));
  ASSERT_EQ(loads.size(), 1u);
  EXPECT_EQ(loads[0].experts, 64);
  EXPECT_EQ(loads[0].tokens, 128);
}

TEST(ExpertLoads, FewerRowsThanExpertsReachOneExpertEach) {
  EXPECT_EQ(reached_by(layer(2)), 16);
  EXPECT_EQ(rows_of(layer(2)), 16);
}

TEST(ExpertLoads, APowerLawKeepsAllRowsOnOneRank) {
  for (const std::int64_t tokens : {1, 4, 16, 256, 4096}) {
    EXPECT_NEAR(rows_of(skewed(tokens, 1.2)), 8.0 * static_cast<double>(tokens),
                0.04 * 8 * static_cast<double>(tokens));
  }
}

TEST(ExpertLoads, NoExpertGetsMoreRowsThanThereAreTokens) {
  for (const double exponent : {0.0, 1.0, 1.2, 2.0, 3.0}) {
    for (const ExpertLoad& load : heaviest_rank_loads(skewed(1000, exponent))) {
      EXPECT_LE(load.tokens, 1000);
      EXPECT_GE(load.tokens, 0);
    }
  }
}

TEST(ExpertLoads, TheHeaviestRankCarriesMoreThanItsShare) {
  work::MoeGemm op = skewed(4096, 1.2);
  for (const std::int64_t ep : {2, 4, 8, 16, 64}) {
    op.ep = ep;
    EXPECT_GT(rows_of(op), 4096.0 * 8 / static_cast<double>(ep));
    EXPECT_LE(rows_of(op), 4096.0 * 8);
  }
}

TEST(ExpertLoads, AnExponentOfOneIsTheLimitOfItsNeighbours) {
  EXPECT_NEAR(reached_by(skewed(256, 1.0)), reached_by(skewed(256, 1.0 + 1e-7)), 1e-9);
}

TEST(Moe, PlansRowTilesThatHoldAnExpertsMeanRows) {
  EXPECT_EQ(price(layer(1), gpu()).plan.tile_m, 16);
  EXPECT_EQ(price(layer(256), gpu()).plan.tile_m, 32);  // 32 rows an expert
  EXPECT_EQ(price(layer(4096), gpu()).plan.tile_m, 128);
  // 64 experts of 512 rows: 4 row tiles each, of 4096/128 + 4096/128 columns.
  EXPECT_EQ(price(layer(4096), gpu()).plan.tiles, 64 * 4 * (32 + 32));
}

TEST(Moe, ALibraryThatExpectsRowsOfOtherRanksTakesTilesThatItsExpertsDoNotFill) {
  work::MoeGemm op = layer(512);
  op.ep = 8;  // 8 local experts of 64 rows each; 512 with those that other ranks get
  spec::ChipSpec chip = gpu();
  const KernelPrice fitting = price(op, chip);
  EXPECT_EQ(fitting.plan.tile_m, 64);
  chip.moe.standard.row_tiles.by = spec::TileMeasure::rows_per_local_expert;
  const KernelPrice padded = price(op, chip);
  EXPECT_EQ(padded.plan.tile_m, 128);
  EXPECT_EQ(padded.plan.tiles, fitting.plan.tiles);
  EXPECT_GT(padded.time, fitting.time);
}

TEST(Moe, RowTilesMayBringTheirOwnColumns) {
  spec::ChipSpec chip = gpu();
  chip.moe.standard.row_tiles = {.tiles = {{.rows = 16, .columns = 32, .up_to = 1}, {.rows = 64, .columns = 64}},
                                 .by = spec::TileMeasure::tokens_per_local_expert};
  EXPECT_EQ(price(layer(64), chip).plan.tile_m, 16);
  EXPECT_EQ(price(layer(64), chip).plan.tile_n, 32);
  EXPECT_EQ(price(layer(65), chip).plan.tile_m, 64);
  EXPECT_EQ(price(layer(65), chip).plan.tile_n, 64);
}

TEST(Moe, TheTilesOfThePlanAreThoseOfEachExpertsRows) {
  const work::MoeGemm op = skewed(300, 1.2);
  const spec::ChipSpec chip = gpu();
  const spec::RuntimeSpec runtime;
  const GroupedPlan plan =
      plan_moe(op, {.chip = chip, .runtime = runtime, .operands = {}, .sustained = true, .kernel = {}});
  double row_tiles = 0;
  for (const ExpertLoad& load : plan.rank.loads)
    row_tiles += load.experts * std::ceil(load.tokens / static_cast<double>(plan.row_tile));
  for (const GroupedGemm& gemm : plan.gemms) {
    EXPECT_DOUBLE_EQ(gemm.tiles, row_tiles * gemm.column_tiles);
    EXPECT_GT(gemm.main_loop, Seconds(0));
  }
  EXPECT_NEAR((plan.gemms[0].weights + plan.gemms[1].weights).si(), plan.work.weights.si(), 1);
}

TEST(Moe, AFewTokensReadTheWeightsOfTheExpertsTheyReach) {
  const double matrices = 3.0 * 4096 * 2048 * 2;
  EXPECT_NEAR(price(layer(1), gpu(), kCold).plan.device_read.si(), 8 * matrices, 0.01 * 8 * matrices);
  EXPECT_NEAR(price(layer(64), gpu(), kCold).plan.device_read.si(), 64 * matrices, 0.01 * 64 * matrices);
}

TEST(Moe, SkewIsNeverFasterWhereWorkBinds) {
  EXPECT_GT(microseconds(skewed(8192, 1.2), gpu()), 0.98 * microseconds(layer(8192), gpu()));
}

TEST(Moe, SkewOverRanksIsSlowerThanBalance) {
  work::MoeGemm even = layer(8192), uneven = skewed(8192, 1.2);
  even.ep = uneven.ep = 8;
  EXPECT_GT(microseconds(uneven, gpu()), 1.5 * microseconds(even, gpu()));
}

TEST(Moe, CuttingTheExpertsOverRanksIsNeverSlower) {
  work::MoeGemm op = layer(2048);
  double last = microseconds(op, gpu(), kCold);
  for (const std::int64_t ep : {2, 4, 8}) {
    op.ep = ep;
    EXPECT_LT(microseconds(op, gpu(), kCold), last);
    last = microseconds(op, gpu(), kCold);
  }
}

TEST(Moe, DoublingTheTokensAtMostDoublesTheTime) {
  for (std::int64_t tokens = 1; tokens <= 8192; tokens *= 2) {
    const double one = microseconds(layer(tokens), gpu(), kCold), two = microseconds(layer(2 * tokens), gpu(), kCold);
    EXPECT_LE(two, 2.05 * one) << tokens;
    EXPECT_GE(two, one * 0.95) << tokens;
  }
}

TEST(Moe, NarrowerWeightsAreFasterWhereTheyAreStreamed) {
  spec::ChipSpec chip = gpu();
  chip.matrix[work::DType::bf16] *= 10;
  work::MoeGemm op = layer(8);
  const double wide = microseconds(op, chip, kCold);
  op.weights = work::DType::int4;
  EXPECT_LT(microseconds(op, chip, kCold), 0.5 * wide);
}

TEST(Moe, IsNeverBelowItsBounds) {
  for (const std::int64_t tokens : {1, 7, 100, 5000}) {
    for (const work::MoeGemm& op : {layer(tokens), skewed(tokens, 1.01), skewed(tokens, 1.2)}) {
      EXPECT_GE(price(op, gpu(), kCold).time, price(op, gpu(), kCold).bounds.largest());
    }
  }
}

TEST(Moe, MoreOfAnyRateIsNeverSlower) {
  for (const std::int64_t tokens : {1, 64, 4096}) {
    const Seconds base = price(layer(tokens), gpu(), kCold).time;
    spec::ChipSpec chip = gpu();
    chip.matrix[work::DType::bf16] *= 2;
    EXPECT_LE(price(layer(tokens), chip, kCold).time, base);
    chip = gpu();
    chip.levels.back().bandwidth *= 2;
    EXPECT_LE(price(layer(tokens), chip, kCold).time, base);
  }
}

}  // namespace
}  // namespace mlosim::chip
