#include "models/plan/overlapped_layers.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace mlosim::plan {
namespace {

OverlappedLayer layer(double work, double gather, double reduce) {
  return {.work = Seconds(work), .gather = Seconds(gather), .reduce = Seconds(reduce)};
}

double time_of(const std::vector<OverlappedLayer>& layers, double exposed) {
  return overlapped_time(layers, {.gather = exposed, .reduce = exposed}).si();
}

TEST(OverlappedLayers, WithoutCollectivesAddUp) { EXPECT_EQ(time_of({layer(1, 0, 0), layer(2, 0, 0)}, 0), 3); }

TEST(OverlappedLayers, OnlyTheFirstGatherIsWaitedForWhereWorkIsLonger) {
  EXPECT_EQ(time_of({layer(10, 2, 0), layer(10, 3, 0), layer(10, 4, 0)}, 0), 32);
}

TEST(OverlappedLayers, LongGathersSetThePace) {
  EXPECT_EQ(time_of({layer(1, 5, 0), layer(1, 5, 0), layer(1, 5, 0)}, 0), 16);
}

TEST(OverlappedLayers, WhatCannotBeHiddenIsWaitedFor) {
  EXPECT_DOUBLE_EQ(time_of({layer(10, 2, 0), layer(10, 2, 0)}, 1), 24);
  EXPECT_DOUBLE_EQ(time_of({layer(10, 2, 0), layer(10, 2, 0)}, 0.25), 2 + 10 + 0.5 + 10);
}

TEST(OverlappedLayers, TheLastReductionEndsThePass) {
  EXPECT_EQ(time_of({layer(10, 0, 3), layer(10, 0, 3)}, 0), 23);
  EXPECT_EQ(time_of({layer(1, 0, 4), layer(1, 0, 4)}, 0), 9) << "reductions queue up behind one another";
  EXPECT_EQ(time_of({layer(10, 0, 3), layer(10, 0, 3)}, 1), 26);
}

TEST(OverlappedLayers, GatherBehindAReductionThatMustBeOverWaitsForBoth) {
  EXPECT_EQ(time_of({layer(10, 2, 3), layer(10, 2, 3)}, 1), 30);
  EXPECT_EQ(time_of({layer(10, 2, 3), layer(10, 2, 3)}, 0), 25);
}

TEST(OverlappedLayers, GathersAndReductionsAreExposedEachByItsOwnShare) {
  const std::vector<OverlappedLayer> layers{layer(10, 2, 3), layer(10, 2, 3)};
  EXPECT_EQ(overlapped_time(layers, {.gather = 1, .reduce = 0}).si(), 2 + 10 + 3 + 2 + 10 + 3) << "in one queue";
  EXPECT_EQ(overlapped_time(layers, {.gather = 0, .reduce = 1}).si(), 2 + 10 + 3 + 10 + 3);
}

TEST(OverlappedLayers, WhatIsNotOverlappedIsExposedWhateverTheStackHides) {
  spec::TrainingRuntime runtime;
  runtime.dp_exposed = 0.25;
  runtime.overlaps_grad_reduce = true;
  EXPECT_EQ(exposed_shares(runtime).gather, 1);
  EXPECT_EQ(exposed_shares(runtime).reduce, 0.25);
}

TEST(OverlappedLayers, SlowEachOtherDownWhileBothRun) {
  std::vector<OverlappedLayer> layers{layer(10, 0, 0), layer(10, 4, 0)};
  for (OverlappedLayer& l : layers) l.work_speed = 0.8;
  EXPECT_DOUBLE_EQ(time_of(layers, 0), 4 + (10 - 4 * 0.8) + 10);
  for (OverlappedLayer& l : layers) l.collective_speed = 0.5;
  EXPECT_DOUBLE_EQ(time_of(layers, 0), 8 + (10 - 8 * 0.8) + 10);
}

}  // namespace
}  // namespace mlosim::plan
