#include "sim/tile/systolic_array.hpp"

#include <gtest/gtest.h>

#include "tests/unit/sim/chip/chips.hpp"

namespace mlosim::tile {
namespace {

// Four arrays of 128 × 128; 80 clk to load, 88 clk to a result: 160 clk beside the rows and passes.
SystolicMachine machine() { return build_machine(chip::test::tpu()); }

double clk(const MatrixBlock& block) { return estimate_block(machine().array, share_out(machine().array, block)); }

TEST(SystolicArray, OnePassTakesItsRowsSharedOutOverTheArrays) {
  EXPECT_EQ(clk({.m = 1024, .n = 128, .k = 128}), 160 + 1024 / 4);
}

TEST(SystolicArray, PassesAreSharedOutWhereThereAreManyOfThem) {
  EXPECT_EQ(clk({.m = 512, .n = 1024, .k = 1024}), 160 + 64 / 4 * 512);
}

TEST(SystolicArray, FewRowsWaitForTheNextWeights) {
  EXPECT_EQ(clk({.m = 16, .n = 1024, .k = 1024}), 160 + 16 + 15 * 128);
}

TEST(SystolicArray, TheBetterOperandIsStationary) {
  EXPECT_EQ(clk({.m = 128, .n = 16384, .k = 128}), clk({.m = 16384, .n = 128, .k = 128}));
}

TEST(SystolicArray, FasterFormatsTakeMoreThanARowAClock) {
  EXPECT_EQ(clk({.m = 1024, .n = 128, .k = 128, .row_granule = 32, .rows_per_clk = 2}), 160 + 1024 / 8);
}

TEST(SystolicArray, RowsArePaddedToTheVectorTile) {
  EXPECT_EQ(clk({.m = 2049, .n = 1024, .k = 1024, .row_granule = 16}),
            clk({.m = 2064, .n = 1024, .k = 1024, .row_granule = 16}));
}

TEST(SystolicArray, PlayedPassesEqualTheClosedFormToTheCycle) {
  for (const double m : {8.0, 16.0, 128.0, 500.0, 1024.0, 8192.0}) {
    for (const double n : {64.0, 128.0, 512.0, 1280.0}) {
      for (const double rate : {1.0, 2.0, 0.93}) {
        const ArrayShare share = share_out(machine().array, {.m = m, .n = n, .k = 640, .rows_per_clk = rate});
        EXPECT_EQ(play_block(machine(), share), estimate_block(machine().array, share)) << m << " x " << n;
      }
    }
  }
}

TEST(SystolicArray, PlayedAtAClockWhosePeriodIsNoPicosecondItIsStillToTheCycle) {
  SystolicMachine odd = machine();
  odd.clock = Hertz(1.05e9);
  const ArrayShare share = share_out(odd.array, {.m = 1024, .n = 128, .k = 128});
  EXPECT_EQ(play_block(odd, share), estimate_block(odd.array, share));
}

}  // namespace
}  // namespace mlosim::tile
