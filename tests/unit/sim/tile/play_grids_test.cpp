#include "sim/tile/play_grids.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace mlosim::tile {
namespace {

constexpr double kEnd = 1e-9;  // of a microsecond: events fall on whole picoseconds

spec::MemoryLevel level(const char* name, spec::Policy policy, Bytes capacity, BytesPerSecond bandwidth,
                        Seconds latency) {
  spec::MemoryLevel l;
  l.name = name;
  l.sharing = spec::Sharing::chip;
  l.policy = policy;
  l.capacity = capacity;
  l.bandwidth = bandwidth;
  l.latency = latency;
  return l;
}

// Ten units, a cache of 10 MB at 1 TB/s and 200 ns, a memory of 100 GB/s and 500 ns.
spec::ChipSpec chip() {
  spec::ChipSpec c;
  c.units = 10;
  c.levels = {level("l2", spec::Policy::cache, Bytes(10e6), BytesPerSecond(1e12), Seconds(200e-9)),
              level("hbm", spec::Policy::memory, Bytes(1e12), BytesPerSecond(100e9), Seconds(500e-9))};
  return c;
}

// CTAs of four steps of 1 us each on the multipliers, a prologue of 1 us and an end of 2 us; nothing is loaded.
Grid grid(std::size_t ctas) {
  Grid g;
  g.kinds = {
      {.prologue = Seconds(1e-6), .multiply = Seconds(1e-6), .wait = {}, .epilogue = Seconds(2e-6), .store = {}}};
  g.ctas.assign(ctas, {.steps = 4});
  return g;
}

// The same, each CTA with a panel of its own of 4 slices of 1 MB.
Grid loading_grid(std::size_t ctas) {
  Grid g = grid(ctas);
  g.operands[0] = {.panels = static_cast<std::uint32_t>(ctas), .slices = 4, .slice = Bytes(1e6)};
  g.kinds[0].load[0] = Bytes(1e6);
  for (std::size_t i = 0; i < ctas; ++i) g.ctas[i].panel[0] = static_cast<std::uint32_t>(i);
  return g;
}

GridRun alone(const Grid& g, const spec::ChipSpec& c = chip()) { return play_grids(c, {{&g}}).runs[0][0]; }

double us(Seconds s) { return s.si() * 1e6; }

TEST(PlayGrids, OneCtaTakesItsPrologueItsStepsAndItsEnd) { EXPECT_NEAR(us(alone(grid(1)).end), 1 + 4 + 2, kEnd); }

TEST(PlayGrids, FixedTimeComesBeforeTheFirstCta) {
  Grid g = grid(1);
  g.fixed = Seconds(3e-6);
  EXPECT_NEAR(us(alone(g).end), 3 + 7, kEnd);
}

TEST(PlayGrids, OneCtaMoreThanUnitsIsAnotherWave) {
  EXPECT_NEAR(us(alone(grid(10)).end), 7, kEnd);
  EXPECT_NEAR(us(alone(grid(11)).end), 14, kEnd);
}

TEST(PlayGrids, APairOfUnitsPerCtaHalvesTheSlots) {
  Grid g = grid(6);
  g.units_per_cta = 2;
  EXPECT_NEAR(us(alone(g).end), 14, kEnd);
}

TEST(PlayGrids, ResidentCtasShareTheMultipliersButNotTheirEnds) {
  Grid g = grid(20);
  g.resident = 2;
  EXPECT_NEAR(us(alone(g).end), 1 + 8 + 2, kEnd);
}

TEST(PlayGrids, WhatIsNotExposedOfTheEndsHidesBehindTheNextCta) {
  Grid g = grid(20);
  g.exposed_ends = 0.5;
  EXPECT_NEAR(us(alone(g).end), 1 + 4 + 0.5 * 2 + 0.5 * 1 + 4 + 2, kEnd);
}

TEST(PlayGrids, LatencyOfAStepBindsWhereTheMultipliersDoNot) {
  Grid g = grid(1);
  g.kinds[0].wait = Seconds(3e-6);
  EXPECT_NEAR(us(alone(g).end), 1 + 12 + 2, kEnd);
}

TEST(PlayGrids, OverlapNormStretchesWhatSharesAUnit) {
  Grid g = grid(1);
  g.kinds[0].wait = Seconds(1e-6);
  g.overlap_norm = 1;
  EXPECT_NEAR(us(alone(g).end), 1 + 8 + 2, kEnd);
}

TEST(PlayGrids, BytesInFlightOverTheLatencyBoundALoneLoad) {
  Grid g = loading_grid(1);
  g.in_flight = Bytes(5e3);  // over 500 ns: 10 GB/s
  EXPECT_NEAR(us(alone(g).end), 1 + 4 * 100 + 2, 1e-3);
  g.operands[0].warm = 1;  // over 200 ns: 25 GB/s
  EXPECT_NEAR(us(alone(g).end), 1 + 4 * 40 + 2, 1e-3);
}

TEST(PlayGrids, TheMemoryServesAllUnitsAtItsRate) {
  const GridRun run = alone(loading_grid(10));
  EXPECT_NEAR(us(run.end), 1 + 40e6 / 100e9 * 1e6 + 2, 1.001);  // the last operands' step still multiplies
  EXPECT_DOUBLE_EQ(run.device_read.si(), 40e6);
  EXPECT_EQ(run.found.si(), 0);
}

TEST(PlayGrids, APanelThatAllShareIsFetchedOnce) {
  Grid g = loading_grid(10);
  for (Cta& cta : g.ctas) cta.panel[0] = 0;
  const GridRun run = alone(g);
  EXPECT_DOUBLE_EQ(run.device_read.si(), 4e6);
  EXPECT_DOUBLE_EQ(run.cache_bytes.si(), 40e6);
  EXPECT_DOUBLE_EQ(run.found.si(), 36e6);
  EXPECT_NEAR(run.hit_rate(), 0.9, 1e-12);
}

TEST(PlayGrids, APanelStaysUntilMoreThanTheCacheHasBeenTouched) {
  // The first and the last of so many CTAs on one unit ask for the same panel.
  spec::ChipSpec c = chip();
  c.units = 1;
  const auto read = [&](std::size_t between) {
    Grid g = loading_grid(between + 2);
    g.ctas.back().panel[0] = 0;
    return alone(g, c).device_read.si();
  };
  EXPECT_DOUBLE_EQ(read(1), 8e6);            // 4 MB in between: still there
  EXPECT_DOUBLE_EQ(read(3), 4 * 4e6 + 4e6);  // 12 MB in between: again
}

TEST(PlayGrids, KeptShareIsThePartOfTheCacheThatKeepsPanels) {
  spec::ChipSpec c = chip();
  c.units = 1;
  Grid g = loading_grid(3);
  g.ctas.back().panel[0] = 0;
  g.kept_share = 0.4;
  EXPECT_DOUBLE_EQ(alone(g, c).device_read.si(), 12e6);
}

TEST(PlayGrids, StoresPassTheMemory) {
  Grid g = grid(10);
  g.kinds[0].store = Bytes(1e6);
  const GridRun run = alone(g);
  EXPECT_NEAR(us(run.end), 1 + 4 + 10e6 / 100e9 * 1e6 + 2, 1e-3);
  EXPECT_DOUBLE_EQ(run.device_written.si(), 10e6);
}

TEST(PlayGrids, BytesOfOtherPartitionsCrossTheLinkBetweenThem) {
  spec::ChipSpec c = chip();
  Grid g = loading_grid(10);
  g.operands[0].warm = 1;
  const double near = us(alone(g, c).end);
  c.levels[0].partitions = 4;
  c.levels[0].partition_link = BytesPerSecond(150e9);  // three quarters of 40 MB
  EXPECT_NEAR(us(alone(g, c).end), 1 + 30e6 / 150e9 * 1e6 + 2, 1.001);
  EXPECT_LT(near, us(alone(g, c).end));
  c.levels[0].partition_link.reset();
  EXPECT_DOUBLE_EQ(us(alone(g, c).end), near);
}

TEST(PlayGrids, ACacheBehindTheFirstOneKeepsWhatTheMemoryNeedNotServeAgain) {
  spec::ChipSpec c = chip();
  c.units = 1;
  c.levels.insert(c.levels.begin() + 1,
                  level("mall", spec::Policy::cache, Bytes(100e6), BytesPerSecond(500e9), Seconds(300e-9)));
  Grid g = loading_grid(5);
  g.ctas.back().panel[0] = 0;
  EXPECT_DOUBLE_EQ(alone(g, c).device_read.si(), 16e6);
}

TEST(PlayGrids, SlotTimesAddUpToAllSlotsOverTheWholeTime) {
  Grid g = loading_grid(25);
  g.kinds[0].store = Bytes(1e5);
  g.fixed = Seconds(2e-6);
  const GridRun run = alone(g);
  const SlotTime& s = run.slots;
  EXPECT_NEAR(us(s.fill + s.compute + s.load + s.latency + s.store + s.idle), 10 * us(run.end - g.fixed), 1e-2);
  EXPECT_GT(s.idle.si(), 0);
  EXPECT_GT(s.load.si(), 0);
}

TEST(PlayGrids, KernelsOfOneStreamFollowEachOther) {
  const Grid a = grid(10), b = grid(5);
  const PlayedGrids played = play_grids(chip(), {{&a, &b}});
  EXPECT_NEAR(us(played.runs[0][1].start), 7, kEnd);
  EXPECT_NEAR(us(played.makespan), 14, kEnd);
}

TEST(PlayGrids, KernelsOfTwoStreamsRunBesideEachOtherWhereThereIsRoom) {
  const Grid a = grid(5), b = grid(5);
  const PlayedGrids played = play_grids(chip(), {{&a}, {&b}});
  EXPECT_NEAR(us(played.makespan), 7, kEnd);
}

TEST(PlayGrids, TheKernelThatStartedFirstIsDispatchedFirst) {
  const Grid a = grid(15);
  Grid b = grid(5);
  b.fixed = Seconds(1e-6);
  const PlayedGrids played = play_grids(chip(), {{&a}, {&b}});
  EXPECT_NEAR(us(played.runs[0][0].end), 14, kEnd);
  EXPECT_NEAR(us(played.runs[1][0].end), 14, kEnd);
  const PlayedGrids other = play_grids(chip(), {{&b}, {&a}});
  EXPECT_NEAR(us(other.runs[0][0].end), 14, kEnd);
}

TEST(PlayGrids, KernelsThatShareTheMemorySlowEachOtherDown) {
  const Grid a = loading_grid(5), b = loading_grid(5);
  const double one = us(alone(a).end);
  const double both = us(play_grids(chip(), {{&a}, {&b}}).makespan);
  EXPECT_GT(both, 1.9 * one);
  EXPECT_LT(both, 2 * one);
}

TEST(PlayGrids, EqualInputGivesEqualEvents) {
  const Grid g = loading_grid(37);
  const PlayedGrids a = play_grids(chip(), {{&g}}), b = play_grids(chip(), {{&g}});
  EXPECT_EQ(a.events, b.events);
  EXPECT_EQ(a.makespan.si(), b.makespan.si());
  EXPECT_GT(a.events, 37u * 4);
}

}  // namespace
}  // namespace mlosim::tile
