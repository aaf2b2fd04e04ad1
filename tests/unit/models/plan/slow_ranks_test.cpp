#include "models/plan/slow_ranks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

namespace mlosim::plan {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::Le;

SlowRanks with_spread(Spread::Distribution distribution, double deviation, std::uint64_t seed = 1) {
  return {.spread = Spread{.distribution = distribution, .deviation = deviation}, .stragglers = {}, .seed = seed};
}

TEST(SlowRanks, EqualRanksHaveTheirOwnTime) { EXPECT_THAT(draw_slowdowns({}, 5), Each(1.0)); }

TEST(SlowRanks, AStragglerIsSlowerOnTopOfItsDraw) {
  SlowRanks slow = with_spread(Spread::Distribution::normal, 0.01);
  const std::vector<double> before = draw_slowdowns(slow, 4);
  slow.stragglers = {{.rank = 2, .slowdown = 1.5}};
  const std::vector<double> after = draw_slowdowns(slow, 4);
  EXPECT_DOUBLE_EQ(after[2], 1.5 * before[2]);
  EXPECT_EQ(after[1], before[1]);
}

TEST(SlowRanks, OneSeedGivesOneListAndAnotherAnother) {
  const auto draw = [](std::uint64_t seed, std::int64_t ranks) {
    return draw_slowdowns(with_spread(Spread::Distribution::normal, 0.01, seed), ranks);
  };
  EXPECT_EQ(draw(1, 8), draw(1, 8));
  EXPECT_NE(draw(1, 8), draw(2, 8));
  const std::vector<double> few = draw(1, 8), many = draw(1, 16);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin())) << "more ranks change nothing for those there are";
}

// The first values, so that another library or compiler that would draw others is found out.
TEST(SlowRanks, DrawsAreTheSameOnEveryMachine) {
  const std::vector<double> drawn = draw_slowdowns(with_spread(Spread::Distribution::uniform, 0.1), 2);
  std::mt19937_64 random(1);
  const double first = (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53;
  EXPECT_DOUBLE_EQ(drawn[0], 1 + 0.1 * std::sqrt(3.0) * (2 * first - 1));
  EXPECT_NEAR(first, 2469588189546311528.0 / 0x1p64, 1e-15) << "the engine's first number under seed 1";
}

TEST(SlowRanks, DrawsHaveTheMeanAndDeviationThatWereGiven) {
  for (const auto distribution :
       {Spread::Distribution::normal, Spread::Distribution::lognormal, Spread::Distribution::uniform}) {
    const std::vector<double> drawn = draw_slowdowns(with_spread(distribution, 0.02), 100'000);
    const double mean = std::accumulate(drawn.begin(), drawn.end(), 0.0) / 1e5;
    double variance = 0;
    for (const double x : drawn) variance += (x - mean) * (x - mean) / 1e5;
    EXPECT_NEAR(mean, 1, 0.001);
    EXPECT_NEAR(std::sqrt(variance), 0.02, 0.0005);
    EXPECT_THAT(drawn, Each(AllOf(Ge(0.9), Le(1.1))));
  }
}

TEST(SlowRanks, ALockstepIsAsSlowAsItsSlowest) {
  // Chips 0..7: two in lockstep, two replicas, two pipeline ranks outermost.
  const std::vector<double> slowdowns{1, 1.1, 1, 1, 1.2, 1, 1, 1.3};
  EXPECT_THAT(slowest_in_lockstep(slowdowns, {.lockstep = 2, .replicas = 2, .pipeline = 2}),
              ElementsAre(1.1, 1.2, 1, 1.3));
}

TEST(SlowRanks, TheSlowestOfManyIsSlowerThanOneByWhatOrderStatisticsSay) {
  EXPECT_EQ(expected_jitter(0.01, 1), 1);
  EXPECT_NEAR(expected_jitter(1, 2), 1 + 0.5642, 0.03);    // 1 / sqrt(pi)
  EXPECT_NEAR(expected_jitter(1, 100), 1 + 2.5076, 0.01);  // tables of normal order statistics
  EXPECT_NEAR(expected_jitter(1, 16'384), 1 + 3.92, 0.05);
  EXPECT_NEAR(jitter_quantile(0.01, 1, 0.5), 1, 1e-12);
  EXPECT_GT(jitter_quantile(0.01, 1000, 0.95), jitter_quantile(0.01, 1000, 0.5));
}

}  // namespace
}  // namespace mlosim::plan
