#include "sim/net/torus.hpp"

#include <gtest/gtest.h>

#include "sim/spec/diagnostics.hpp"
#include "tests/unit/sim/net/nodes.hpp"

namespace mlosim::net {
namespace {

using work::Collective;
using work::CollectiveKind;

SliceShape lines(std::vector<std::int64_t> lengths) {
  SliceShape shape;
  for (const std::int64_t length : lengths) shape.push_back({.length = length, .is_ring = false});
  return shape;
}
SliceShape rings(std::vector<std::int64_t> lengths) {
  SliceShape shape;
  for (const std::int64_t length : lengths) shape.push_back({.length = length, .is_ring = true});
  return shape;
}

Seconds time_of(const spec::Fabric& fabric, CollectiveKind kind, double bytes, std::int64_t ranks) {
  return estimate_torus({.kind = kind, .bytes = Bytes(bytes), .ranks = ranks}, fabric).time;
}

TEST(SliceShape, IsAsNearToACubeAsFits) {
  const spec::Fabric v4 = tpu_v4_pod().fabric;
  EXPECT_EQ(slice_shape(v4, 2), lines({2}));
  EXPECT_EQ(slice_shape(v4, 4), lines({2, 2}));
  EXPECT_EQ(slice_shape(v4, 8), lines({2, 2, 2}));
  EXPECT_EQ(slice_shape(v4, 16), lines({4, 2, 2}));
  EXPECT_EQ(slice_shape(v4, 32), lines({4, 4, 2}));
  const spec::Fabric v5e = tpu_v5e_pod().fabric;
  EXPECT_EQ(slice_shape(v5e, 8), lines({4, 2}));
  EXPECT_EQ(slice_shape(v5e, 12), lines({4, 3}));
  EXPECT_EQ(slice_shape(v5e, 64), lines({8, 8}));
}

TEST(SliceShape, WholeCubesOfFourCloseTheirAxes) {
  const spec::Fabric v4 = tpu_v4_pod().fabric;
  EXPECT_EQ(slice_shape(v4, 64), rings({4, 4, 4}));
  EXPECT_EQ(slice_shape(v4, 128), rings({8, 4, 4}));
  EXPECT_EQ(slice_shape(v4, 4096), rings({16, 16, 16}));
}

TEST(SliceShape, OnlyAWholeAxisClosesWhereTheFabricSaysSo) {
  const spec::Fabric v5e = tpu_v5e_pod().fabric;
  EXPECT_EQ(slice_shape(v5e, 256), rings({16, 16}));
  EXPECT_EQ(slice_shape(v5e, 128), (SliceShape{{.length = 16, .is_ring = true}, {.length = 8, .is_ring = false}}));
  spec::Fabric open = v5e;
  open.wraparound = spec::Wraparound::none;
  EXPECT_EQ(slice_shape(open, 256), lines({16, 16}));
}

TEST(SliceShape, FitsTheLongestSideIntoTheLongestDimension) {
  spec::Fabric v5p = tpu_v4_pod().fabric;
  v5p.dimensions = {16, 20, 28};
  EXPECT_EQ(slice_shape(v5p, 8960), rings({28, 20, 16}));
  v5p.dimensions = {2, 32};
  v5p.wraparound = spec::Wraparound::none;
  EXPECT_EQ(slice_shape(v5p, 64), lines({32, 2}));
}

TEST(SliceShape, RefusesNumbersThatFormNoSlice) {
  const spec::Fabric v5e = tpu_v5e_pod().fabric;
  EXPECT_THROW(slice_shape(v5e, 17), spec::InputError);
  EXPECT_THROW(slice_shape(v5e, 512), spec::InputError);
}

TEST(SliceShape, HasAsManyChipsAsWereAskedFor) {
  const spec::Fabric v4 = tpu_v4_pod().fabric;
  for (std::int64_t chips = 1; chips <= 4096; chips *= 2) {
    std::int64_t product = 1;
    for (const SliceAxis& axis : slice_shape(v4, chips)) product *= axis.length;
    EXPECT_EQ(product, chips);
  }
}

TEST(Torus, FourTpuV4AllReduceAsMeasured) {
  const spec::Fabric v4 = tpu_v4_pod().fabric;
  EXPECT_NEAR(time_of(v4, CollectiveKind::all_reduce, 16 * 1024, 4).si(), 12.68e-6, 0.3e-6);
  EXPECT_NEAR(time_of(v4, CollectiveKind::all_reduce, 128 * 1024, 4).si(), 15.2e-6, 0.6e-6);
  EXPECT_NEAR(time_of(v4, CollectiveKind::all_reduce, 1024 * 1024, 4).si(), 31.76e-6, 0.3e-6);
}

TEST(Torus, FourTpuV7AllGatherAsMeasured) {
  spec::Fabric v7 = tpu_v4_pod().fabric;
  v7.bandwidth = BytesPerSecond(100e9);
  v7.collective_start = Seconds(11.5e-6);
  const double gathered_over_sent = 4.0 / 3.0;
  EXPECT_NEAR(time_of(v7, CollectiveKind::all_gather, 1.57286e6 * gathered_over_sent, 4).si(), 22.6e-6, 0.3e-6);
  EXPECT_NEAR(time_of(v7, CollectiveKind::all_gather, 25.1658e6 * gathered_over_sent, 4).si(), 155.4e-6, 2e-6);
  EXPECT_NEAR(time_of(v7, CollectiveKind::all_gather, 402.653e6 * gathered_over_sent, 4).si(), 2252e-6, 10e-6);
}

TEST(Torus, AnAllGatherUsesBothDirectionsOfEveryRing) {
  const spec::Fabric v5e = tpu_v5e_pod().fabric;
  // 16x16, both axes rings: 4 links, 8 + 8 hops.
  const double expected = 7.4e-6 + 16 * (0.78e-6 + 0.475e-6) + 255.0 / 256.0 * 1e9 / (0.9 * 4 * 45e9);
  EXPECT_NEAR(time_of(v5e, CollectiveKind::all_gather, 1e9, 256).si(), expected, 1e-12);
}

TEST(Torus, AnOpenAxisHasHalfTheBandwidthAndTwiceTheHops) {
  spec::Fabric ring = tpu_v5e_pod().fabric;
  ring.collective_start = Seconds();
  spec::Fabric line = ring;
  line.wraparound = spec::Wraparound::none;
  const Seconds closed = time_of(ring, CollectiveKind::all_gather, 1e9, 256);
  const Seconds open = time_of(line, CollectiveKind::all_gather, 1e9, 256);
  EXPECT_NEAR(open / closed, 2, 0.02);
}

TEST(Torus, AnAllToAllOnARingTakesAQuarterOfGatheringEverything) {
  spec::Fabric ring = tpu_v5e_pod().fabric;
  ring.chips = 16;
  ring.dimensions = {16};
  ring.latency = ring.endpoint_latency = ring.collective_start = Seconds();
  const double bytes = 1e9;
  const Seconds everything(16 * bytes / (2 * 45e9 * 0.9));
  EXPECT_NEAR(time_of(ring, CollectiveKind::all_to_all, bytes, 16) / everything, 0.25, 1e-9);
}

TEST(Torus, AnAllToAllIsBoundByTheBisection) {
  const spec::Fabric v5e = tpu_v5e_pod().fabric;
  // Half of 256 chips send half of 1 GB across 16 rows of two links.
  const TorusPrice price = estimate_torus({.kind = CollectiveKind::all_to_all, .bytes = Bytes(1e9), .ranks = 256}, v5e);
  EXPECT_NEAR(price.bound.si(), 0.475e-6 + 128 * 0.5e9 / (16 * 2 * 45e9), 1e-9);
  EXPECT_GE(price.time, price.bound);
}

TEST(Torus, AnAllReduceIsAReduceScatterAndAnAllGatherButForOneStart) {
  const spec::Fabric v4 = tpu_v4_pod().fabric;
  for (const std::int64_t ranks : {4, 64, 512}) {
    const Seconds parts = time_of(v4, CollectiveKind::reduce_scatter, 1e8, ranks) +
                          time_of(v4, CollectiveKind::all_gather, 1e8, ranks) - v4.collective_start;
    EXPECT_NEAR(time_of(v4, CollectiveKind::all_reduce, 1e8, ranks).si(), parts.si(), 1e-12);
  }
}

}  // namespace
}  // namespace mlosim::net
