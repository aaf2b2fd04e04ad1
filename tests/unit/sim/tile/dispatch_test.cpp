// Who gets a place on the units, and when: kernels in line, rooms of different sizes.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/tile/paced_grid.hpp"
#include "sim/tile/play_grids.hpp"
#include "tests/unit/sim/chip/chips.hpp"

namespace mlosim::tile {
namespace {

constexpr double kMicrosecond = 1e-6;

// CTAs that take 10 µs each and `resident` of which fill one of the chip's 100 units.
Grid waiting_grid(std::size_t ctas, std::int64_t resident) {
  Grid grid;
  grid.kinds = {{.prologue = {}, .multiply = {}, .wait = Seconds(10 * kMicrosecond), .epilogue = {}, .store = {}}};
  grid.ctas.resize(ctas);
  grid.resident = resident;
  return grid;
}

struct Both {
  GridRun first, second;
};

Both play(const Grid& first, const Grid& second) {
  const PlayedGrids played = play_grids(chip::test::gpu(), {{&first}, {&second}});
  return {played.runs[0][0], played.runs[1][0]};
}

void expect_end(const GridRun& run, double us) { EXPECT_NEAR(run.end.si() / kMicrosecond, us, 1e-4); }

TEST(Dispatch, WhatAKernelLeavesOfItsUnitsGoesToTheNext) {
  const Both both = play(waiting_grid(100, 2), waiting_grid(100, 2));
  expect_end(both.first, 10);
  expect_end(both.second, 10);
}

// A kernel of few CTAs takes no more of a unit than those need, though more of them would fit.
TEST(Dispatch, ACtaTakesTheRoomThatItNeedsHoweverFewThereAre) {
  const Both both = play(waiting_grid(50, 8), waiting_grid(700, 8));
  expect_end(both.first, 10);
  expect_end(both.second, 10);  // 50 units have room for seven more, 50 for eight
}

TEST(Dispatch, AKernelThatNeedsAWholeUnitWaitsForOne) {
  Grid late = waiting_grid(100, 1);
  late.fixed = Seconds(1 * kMicrosecond);
  const Both both = play(waiting_grid(100, 2), late);
  expect_end(both.first, 10);
  expect_end(both.second, 20);
}

// The later kernel would have room from the start, but the first in line is not through.
TEST(Dispatch, TheSecondInLineWaitsForTheLastCtaOfTheFirst) {
  Grid late = waiting_grid(10, 2);
  late.fixed = Seconds(1 * kMicrosecond);
  Grid whole = waiting_grid(150, 1);
  const Both both = play(whole, late);
  expect_end(both.first, 20);
  expect_end(both.second, 20);  // in the second round's free units
  const Both alone = play(waiting_grid(90, 1), late);
  expect_end(alone.second, 11);
}

TEST(Dispatch, OfTwoThatStartTogetherTheSmallerGoesFirst) {
  const Grid large = waiting_grid(200, 1), small = waiting_grid(10, 1);
  for (const bool small_first : {true, false}) {
    const PlayedGrids played = small_first ? play_grids(chip::test::gpu(), {{&small}, {&large}})
                                           : play_grids(chip::test::gpu(), {{&large}, {&small}});
    expect_end(played.runs[small_first ? 0 : 1][0], 10);
    expect_end(played.runs[small_first ? 1 : 0][0], 30);
  }
}

TEST(PacedGrid, TakesItsOwnTimeAlone) {
  for (const double bytes : {0.0, 1e6, 10e6}) {
    for (const std::int64_t rounds : {1, 4}) {
      const Grid grid = make_paced_grid({.name = "paced",
                                         .ctas = 100 * rounds,
                                         .rounds = rounds,
                                         .fixed = Seconds(3 * kMicrosecond),
                                         .main = Seconds(20 * kMicrosecond),
                                         .device_bytes = Bytes(bytes),
                                         .cache_bytes = Bytes(2 * bytes),
                                         .links = Seconds(20 * kMicrosecond),
                                         .max_events = 20'000});
      const PlayedGrids played = play_grids(chip::test::gpu(), {{&grid}});
      EXPECT_NEAR(played.makespan.si() / kMicrosecond, 23, 0.03) << bytes << " in " << rounds;
      EXPECT_NEAR(played.runs[0][0].device_read.si(), bytes, 1e-3);
    }
  }
}

// A paced kernel of one round without a fixed time.
Grid paced_grid(std::int64_t ctas, double main_us, double bytes, double links_us) {
  return make_paced_grid({.name = "paced",
                          .ctas = ctas,
                          .rounds = 1,
                          .fixed = {},
                          .main = Seconds(main_us * kMicrosecond),
                          .device_bytes = Bytes(bytes),
                          .cache_bytes = Bytes(bytes),
                          .links = Seconds(links_us * kMicrosecond),
                          .max_events = 20'000});
}

TEST(PacedGrid, WaitsForMemoryThatOthersTake) {
  const Grid grid = paced_grid(50, 1000, 800e6, 0);
  const Both both = play(grid, grid);
  for (const GridRun& run : {both.first, both.second}) EXPECT_NEAR(run.end.si() / kMicrosecond, 1600, 80);
  EXPECT_NEAR(std::max(both.first.end, both.second.end).si() / kMicrosecond, 1600, 2);
}

// A CTA that a burst of others holds up has its time back when the burst is over.
TEST(PacedGrid, MakesUpForWhatABurstCost) {
  const Grid steady = paced_grid(20, 200, 20e6, 200), burst = paced_grid(80, 20, 60e6, 0);
  const Both both = play(steady, burst);
  EXPECT_GT(both.second.end.si() / kMicrosecond, 60);
  EXPECT_LT(both.first.end.si() / kMicrosecond, 210);
}

}  // namespace
}  // namespace mlosim::tile
