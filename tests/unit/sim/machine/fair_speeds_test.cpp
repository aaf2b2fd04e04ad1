#include "sim/machine/fair_speeds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

namespace mlosim::machine {
namespace {

using chip::ChipUse;

std::array<double, 4> shares_of(const ChipUse& use) { return {use.units, use.cache, use.memory, use.link}; }

TEST(FairSpeeds, ATaskAloneRunsAtFullSpeed) {
  EXPECT_EQ(fair_speeds({{.units = 1, .cache = 0.9, .memory = 1, .link = 1}}), std::vector<double>{1});
  EXPECT_TRUE(fair_speeds({}).empty());
}

TEST(FairSpeeds, TasksThatFitRunAtFullSpeed) {
  EXPECT_EQ(fair_speeds({{.units = 0.6, .memory = 0.2}, {.units = 0.4, .memory = 0.8}}), (std::vector<double>{1, 1}));
}

TEST(FairSpeeds, EqualTasksGetEqualParts) {
  EXPECT_EQ(fair_speeds({{.units = 1}, {.units = 1}}), (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(fair_speeds({{.memory = 1}, {.memory = 1}, {.memory = 1}, {.memory = 1}}),
            (std::vector<double>{0.25, 0.25, 0.25, 0.25}));
}

// A collective that holds an eighth of the units keeps its pace; compute goes on with the rest.
TEST(FairSpeeds, WhoNeedsLittleHasIt) {
  EXPECT_EQ(fair_speeds({{.units = 1}, {.units = 0.125, .link = 1}}), (std::vector<double>{0.875, 1}));
}

TEST(FairSpeeds, WhatOneResourceHoldsBackLeavesTheOthersToTheRest) {
  const std::vector<double> speeds =
      fair_speeds({{.units = 0.1, .memory = 1}, {.units = 0.1, .memory = 1}, {.units = 0.9}});
  EXPECT_DOUBLE_EQ(speeds[0], 0.5);
  EXPECT_DOUBLE_EQ(speeds[1], 0.5);
  EXPECT_DOUBLE_EQ(speeds[2], 0.9 / 0.9);
}

TEST(FairSpeeds, AreFeasibleWorkConservingAndOfNoOrder) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> share(0, 1);
  for (int round = 0; round < 500; ++round) {
    std::vector<ChipUse> uses(1 + round % 5);
    for (ChipUse& use : uses)
      use = {.units = share(random), .cache = share(random), .memory = share(random), .link = 0};
    const std::vector<double> speeds = fair_speeds(uses);
    std::array<double, 4> taken{};
    double all = 0;
    for (std::size_t i = 0; i < uses.size(); ++i) {
      for (std::size_t r = 0; r < 4; ++r) taken[r] += speeds[i] * shares_of(uses[i])[r];
      all += speeds[i];
    }
    for (const double t : taken) EXPECT_LE(t, 1 + 1e-9);
    EXPECT_GE(all, 1 - 1e-9);  // together never slower than one after the other
    for (std::size_t i = 0; i < uses.size(); ++i) {
      bool meets_a_full_one = false;
      for (std::size_t r = 0; r < 4; ++r) meets_a_full_one |= shares_of(uses[i])[r] > 0 && taken[r] > 1 - 1e-9;
      EXPECT_TRUE(speeds[i] == 1 || meets_a_full_one);
      EXPECT_GT(speeds[i], 0);
    }
    std::vector<ChipUse> reversed(uses.rbegin(), uses.rend());
    std::vector<double> again = fair_speeds(reversed);
    std::reverse(again.begin(), again.end());
    EXPECT_EQ(again, speeds);
  }
}

}  // namespace
}  // namespace mlosim::machine
