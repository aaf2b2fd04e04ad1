#include "validate/cuda/measure/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

namespace mlosim::measure {
namespace {

TEST(MeasureStatistics, TheMedianAndTheSpreadAreThoseOfTheOrderStatistics) {
  const Summary summary = summarize({5, 1, 3, 2, 4});
  EXPECT_DOUBLE_EQ(summary.median.count(), 3);
  EXPECT_DOUBLE_EQ(summary.spread, 2.0 / 3.0);
  EXPECT_EQ(summary.samples, 5);
  EXPECT_DOUBLE_EQ(summarize({1, 2, 3, 4}).median.count(), 2.5);
}

TEST(MeasureStatistics, OneStraySampleMovesNothing) {
  std::vector<double> samples(99, 1.0);
  samples.push_back(1e6);
  const Summary summary = summarize(samples);
  EXPECT_DOUBLE_EQ(summary.median.count(), 1);
  EXPECT_DOUBLE_EQ(summary.uncertainty, 0);
}

TEST(MeasureStatistics, TheUncertaintyFallsWithTheRootOfTheSamples) {
  std::vector<double> few = {0.9, 0.95, 1, 1.05, 1.1};
  std::vector<double> many;
  for (int i = 0; i < 400; ++i) many.push_back(few[static_cast<std::size_t>(i) % few.size()]);
  EXPECT_NEAR(summarize(many).uncertainty * std::sqrt(80.0), summarize(few).uncertainty, 1e-9);
}

TEST(MeasureStatistics, ASummaryOfNothingIsAMistakeOfOurs) { EXPECT_THROW(summarize({}), std::logic_error); }

TEST(MeasureStatistics, SamplingStopsWhenTheMedianIsKnownButNotBeforeEnoughSamples) {
  const Criterion criterion{.noise = 0.005, .min_samples = 10, .max_samples = 100, .max_time = Seconds(1)};
  EXPECT_FALSE(is_settled({}, Seconds(10), criterion));
  EXPECT_FALSE(is_settled(std::vector<double>(9, 1.0), Seconds(0), criterion));
  EXPECT_TRUE(is_settled(std::vector<double>(10, 1.0), Seconds(0), criterion));
}

TEST(MeasureStatistics, NoiseKeepsSamplingUntilTimeOrSamplesAreUsedUp) {
  const Criterion criterion{.noise = 0.005, .min_samples = 4, .max_samples = 100, .max_time = Seconds(1)};
  std::vector<double> noisy;
  for (int i = 0; i < 50; ++i) noisy.push_back(i % 2 == 0 ? 1.0 : 2.0);
  EXPECT_FALSE(is_settled(noisy, Seconds(0.9), criterion));
  EXPECT_TRUE(is_settled(noisy, Seconds(1), criterion));
  noisy.resize(100, 1.5);
  EXPECT_TRUE(is_settled(noisy, Seconds(0), criterion));
}

}  // namespace
}  // namespace mlosim::measure
