#include "sim/tile/systolic_core.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/sim/chip/chips.hpp"

namespace mlosim::tile {
namespace {

// One core at 1 GHz; 900 GB/s each way and 500 ns until a block is there.
SystolicMachine one_core() {
  spec::ChipSpec chip = chip::test::tpu();
  chip.units = 1;
  return build_machine(chip);
}

double nanoseconds(Seconds time) { return time.si() * 1e9; }

TEST(SystolicCore, AStepAloneTakesItsWayInItsWorkAndItsWayOut) {
  const SystolicGrid grid{.runs = {{{.in = Bytes(900e3), .out = Bytes(90e3), .scalar = 100, .matrix = 4000}, 1}}};
  const double expected = (500 + 1000) + (100 + 4000) + (500 + 100);
  EXPECT_NEAR(nanoseconds(play_grid(one_core(), grid).time), expected, 0.01);
  EXPECT_NEAR(nanoseconds(estimate_grid(one_core(), grid).total), expected, 1e-6);
}

TEST(SystolicCore, UnitsWorkSideBySide) {
  const SystolicGrid grid{.runs = {{{.scalar = 100, .matrix = 300, .vector = 700, .permute = 500}, 1}}};
  EXPECT_NEAR(nanoseconds(play_grid(one_core(), grid).time), 800, 0.01);
}

TEST(SystolicCore, BlocksComeInBesideTheStepBefore) {
  SystolicGrid grid{.runs = {{{.in = Bytes(90e3), .matrix = 2000}, 100}}};
  EXPECT_NEAR(nanoseconds(play_grid(one_core(), grid).time), 600 + 100 * 2000, 1);
  grid.runs[0].step.in = Bytes(3600e3);  // 4 us each: the memory's time
  EXPECT_NEAR(nanoseconds(play_grid(one_core(), grid).time), 500 + 100 * 4000 + 2000, 1);
}

TEST(SystolicCore, ShortStepsWaitForALatencyOverTheBuffers) {
  const SystolicGrid grid{.runs = {{{.in = Bytes(9e3), .matrix = 100}, 1000}}};
  SystolicMachine machine = one_core();
  EXPECT_NEAR(nanoseconds(play_grid(machine, grid).time) / 1000, (500 + 10 + 100) / 2.0, 2);
  machine.buffers = 4;
  EXPECT_NEAR(nanoseconds(play_grid(machine, grid).time) / 1000, (500 + 10 + 100) / 4.0, 2);
}

TEST(SystolicCore, BlocksThatAreThereAlreadyAreNotWaitedFor) {
  const SystolicGrid grid{.runs = {{{.in = Bytes(900e3), .matrix = 1000}, 1}, {{.matrix = 1000}, 9}}};
  EXPECT_NEAR(nanoseconds(play_grid(one_core(), grid).time), 1500 + 10 * 1000, 0.1);
}

TEST(SystolicCore, TwoCoresShareTheMemory) {
  SystolicMachine two = one_core();
  two.cores = 2;
  const SystolicGrid grid{.runs = {{{.in = Bytes(900e3), .matrix = 100}, 50}}};
  EXPECT_NEAR(nanoseconds(play_grid(two, grid).time), 500 + 50 * 2000 + 100, 1);
}

TEST(SystolicCore, TurnsThatRepeatAreCountedAsIfTheyWerePlayed) {
  const std::vector<StepRun> turn{{{.in = Bytes(1.7e6), .scalar = 100, .matrix = 900}, 3},
                                  {{.in = Bytes(0.4e6), .out = Bytes(1.1e6), .scalar = 100, .matrix = 2345}, 2}};
  SystolicMachine machine = one_core();
  for (const std::int64_t cores : {1, 2}) {
    machine.cores = cores;
    const GridPlay counted = play_grid(machine, {.runs = turn, .turns = 300});
    SystolicGrid unrolled;
    for (int i = 0; i < 300; ++i) unrolled.runs.insert(unrolled.runs.end(), turn.begin(), turn.end());
    const GridPlay played = play_grid(machine, unrolled);
    EXPECT_NEAR(nanoseconds(counted.time), nanoseconds(played.time), 1e-6 * nanoseconds(played.time));
    EXPECT_LT(counted.events * 10, played.events);
  }
}

TEST(SystolicCore, TheClosedFormIsNearThePlay) {
  for (const double in : {1e4, 3e5, 2e6, 8e6}) {
    for (const double matrix : {200.0, 2000.0, 20000.0}) {
      const SystolicGrid grid{.runs = {{{.in = Bytes(in), .scalar = 300, .matrix = matrix}, 7},
                                       {{.in = Bytes(in), .out = Bytes(in / 4), .scalar = 300, .matrix = matrix}, 1}},
                              .turns = 20};
      const Seconds played = play_grid(one_core(), grid).time;
      EXPECT_NEAR(estimate_grid(one_core(), grid).total / played, 1, 0.05) << in << " bytes, " << matrix << " clk";
    }
  }
}

TEST(SystolicCore, ATransferToAnotherChipRunsBesideTheGrid) {
  const SystolicGrid grid{.runs = {{{.matrix = 1000}, 10}}};
  const auto with = [&](double bytes) {
    return nanoseconds(
        play_grid(one_core(), grid,
                  RemoteTransfer{
                      .link = {.latency = Seconds(1e-6), .core = BytesPerSecond(50e9), .chip = BytesPerSecond(50e9)},
                      .bytes = Bytes(bytes)})
            .time);
  };
  EXPECT_NEAR(with(50e3), 10 * 1000, 0.1);
  EXPECT_NEAR(with(5e6), 1000 + 100e3, 0.1);
}

}  // namespace
}  // namespace mlosim::tile
