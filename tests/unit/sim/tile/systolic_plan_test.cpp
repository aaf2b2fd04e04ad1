#include "sim/tile/systolic_plan.hpp"

#include <gtest/gtest.h>

#include "sim/spec/diagnostics.hpp"
#include "tests/unit/sim/chip/chips.hpp"

namespace mlosim::tile {
namespace {

SystolicMachine machine() { return build_machine(chip::test::tpu()); }

TEST(SystolicPlan, WeightsAreReadOnceWhereTheRowsAreFew) {
  const SystolicPlan plan = plan_product(machine(), {.m = 16, .n = 16384, .k = 4096});
  const double weights = 2.0 * 16384 * 4096;
  EXPECT_NEAR(plan.read.si(), weights, 0.02 * weights);
}

TEST(SystolicPlan, LargeOperandsAreReadAgainAndLessOftenWithMoreScratchpad) {
  const ArrayProduct product{.m = 32768, .n = 32768, .k = 8192};
  const double once = 2.0 * 2 * 32768 * 8192;
  const SystolicPlan small = plan_product(machine(), product);
  EXPECT_GT(small.read.si(), 2 * once);
  SystolicMachine large = machine();
  large.room *= 8;
  EXPECT_LT(plan_product(large, product).read, small.read);
}

TEST(SystolicPlan, TheTilesBytesAndStepsAreThoseOfItsGrid) {
  SystolicMachine one = machine();
  one.cores = 1;
  const SystolicPlan plan = plan_product(one, {.m = 1024, .n = 1024, .k = 1024}, SystolicTile{128, 128, 128});
  EXPECT_EQ(plan.steps(), 512);
  EXPECT_EQ(plan.read.si(), 512 * 2 * 2.0 * 128 * 128);
  EXPECT_EQ(plan.written.si(), 2.0 * 1024 * 1024);
}

TEST(SystolicPlan, BlocksThatTheAuthorGivesAreNeverFasterThanTheBest) {
  const ArrayProduct product{.m = 4096, .n = 4096, .k = 4096};
  const Seconds best = plan_product(machine(), product).estimate.total;
  for (const SystolicTile tile : {SystolicTile{128, 128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 1024, 512}})
    EXPECT_LE(best, plan_product(machine(), product, tile).estimate.total);
}

TEST(SystolicPlan, BlocksThatDoNotFitAreRefused) {
  EXPECT_THROW(plan_product(machine(), {.m = 8192, .n = 8192, .k = 8192}, SystolicTile{8192, 8192, 8192}),
               spec::InputError);
}

TEST(SystolicPlan, CoresShareTheCopiesWhereThatIsCheapest) {
  const SystolicPlan plan = plan_product(machine(), {.m = 64, .n = 256, .k = 256, .copies = 64});
  EXPECT_EQ(plan.share, CoreShare::copies);
  EXPECT_EQ(plan.grid.turns, 32);
}

}  // namespace
}  // namespace mlosim::tile
