#include "sim/chip/concurrent.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/sim/chip/chips.hpp"

namespace mlosim::chip {
namespace {

using Streams = std::vector<std::vector<ConcurrentKernel>>;

const work::Operator kCopy =
    work::make_elementwise(work::ElementwiseKind::copy, 16384, 8192, work::DType::bf16, work::DType::bf16);
const work::Operator kNorm =
    work::make_elementwise(work::ElementwiseKind::rmsnorm, 4096, 8192, work::DType::bf16, work::DType::bf16);
const PacedByNetwork kCollective{.time = Seconds(100e-6),
                                 .links = Seconds(80e-6),
                                 .ctas = 20,
                                 .device_bytes = Bytes(10e6),
                                 .cache_bytes = Bytes(20e6)};

PlayedTogether play(const Streams& streams) {
  static const spec::ChipSpec chip = test::gpu();
  static const spec::RuntimeSpec runtime;
  return play_together(streams, {.chip = chip, .runtime = runtime, .operands = test::kCold});
}

TEST(Concurrent, AKernelAloneTakesItsPrice) {
  const PlayedTogether played = play({{kCopy}});
  EXPECT_NEAR(played.runs[0][0].slow_down(), 1, 1e-9);
  EXPECT_NEAR(played.makespan / test::price(kCopy, test::gpu(), test::kCold).time, 1, 0.01);
}

TEST(Concurrent, KernelsOfOneStreamRunOneAfterAnother) {
  const PlayedTogether played = play({{kCopy, kNorm, kCollective}});
  Seconds at;
  for (const ConcurrentRun& run : played.runs[0]) {
    EXPECT_NEAR(run.start.si(), at.si(), 1e-12);
    EXPECT_NEAR(run.slow_down(), 1, 1e-6);
    at = run.end;
  }
  EXPECT_EQ(played.makespan, at);
}

TEST(Concurrent, ACollectiveKeepsItsUnitsAndItsPaceBesideComputeThatLeavesTheMemoryAlone) {
  const PacedByNetwork compute{.time = Seconds(200e-6), .links = {}, .ctas = 80, .device_bytes = {}, .cache_bytes = {}};
  const PlayedTogether played = play({{compute}, {kCollective}});
  EXPECT_NEAR(played.runs[0][0].slow_down(), 1, 1e-6);
  EXPECT_NEAR(played.runs[1][0].slow_down(), 1, 1e-6);
}

TEST(Concurrent, ACollectiveIsSlowedWhereTheMemoryIsSaturated) {
  PacedByNetwork hungry = kCollective;
  hungry.device_bytes = hungry.cache_bytes = Bytes(60e6);  // 0.6 of the bandwidth
  const PlayedTogether played = play({{kCopy}, {hungry}});
  EXPECT_GT(played.runs[0][0].slow_down(), 1.02);
  EXPECT_GT(played.runs[1][0].slow_down(), 1.02);
}

TEST(Concurrent, CollectivesShareTheLinks) {
  const PlayedTogether played = play({{kCollective}, {kCollective}});
  EXPECT_NEAR(played.makespan.si(), 160e-6, 3e-6);
}

TEST(Concurrent, TheOrderOfStreamsDecidesNothing) {
  const PlayedTogether one = play({{kCopy, kNorm}, {kCollective, kCopy}, {kNorm}});
  const PlayedTogether other = play({{kNorm}, {kCollective, kCopy}, {kCopy, kNorm}});
  EXPECT_EQ(one.makespan, other.makespan);
  for (std::size_t s = 0; s < 3; ++s) {
    for (std::size_t k = 0; k < one.runs[s].size(); ++k) {
      EXPECT_EQ(one.runs[s][k].start, other.runs[2 - s][k].start);
      EXPECT_EQ(one.runs[s][k].end, other.runs[2 - s][k].end);
    }
  }
}

TEST(Concurrent, TwoKernelsTakeNoLessThanTheLongerAndNoMoreThanBoth) {
  const std::vector<ConcurrentKernel> kernels{kCopy, kNorm, kCollective};
  for (const ConcurrentKernel& a : kernels) {
    for (const ConcurrentKernel& b : kernels) {
      const PlayedTogether played = play({{a}, {b}});
      const Seconds first = played.runs[0][0].alone, second = played.runs[1][0].alone;
      EXPECT_GE(played.makespan, std::max(first, second) * (1 - 1e-9));
      EXPECT_LE(played.makespan, (first + second) * (1 + 1e-9));
    }
  }
}

}  // namespace
}  // namespace mlosim::chip
