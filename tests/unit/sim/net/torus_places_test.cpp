#include "sim/net/torus_places.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/sim/net/nodes.hpp"

namespace mlosim::net {
namespace {

spec::Fabric twisted_v4() {
  spec::Fabric fabric = tpu_v4_pod().fabric;
  fabric.twisted = true;
  return fabric;
}

TEST(TorusPlaces, OnlyClosedSlicesOfTwoSidesAreTwisted) {
  const spec::Fabric fabric = twisted_v4();
  EXPECT_TRUE(takes_twist(fabric, slice_shape(fabric, 128)));   // 8x4x4
  EXPECT_TRUE(takes_twist(fabric, slice_shape(fabric, 256)));   // 8x8x4
  EXPECT_FALSE(takes_twist(fabric, slice_shape(fabric, 512)));  // 8x8x8
  EXPECT_FALSE(takes_twist(fabric, slice_shape(fabric, 16)));   // open
  EXPECT_FALSE(takes_twist(tpu_v4_pod().fabric, slice_shape(fabric, 128)));
}

TEST(TorusPlaces, EveryPlaceHasOneBeforeAndOneAfterItOnEachAxis) {
  const spec::Fabric fabric = twisted_v4();
  const SliceShape shape = slice_shape(fabric, 256);
  for (const bool is_twisted : {false, true}) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      std::set<std::size_t> after;
      for (std::size_t place = 0; place < 256; ++place) after.insert(*next_place(shape, is_twisted, place, axis));
      EXPECT_EQ(after.size(), 256u);
    }
  }
}

TEST(TorusPlaces, TwistsShortenTheWays) {
  const spec::Fabric fabric = twisted_v4();
  EXPECT_DOUBLE_EQ(mean_twisted_distance(slice_shape(fabric, 128)), 3.4375);  // 4 without
  EXPECT_DOUBLE_EQ(mean_twisted_distance(slice_shape(fabric, 256)), 4.3125);  // 5 without
}

// Untwisted, half of the pairs on a long side of 2k cross each of its two cuts; twisted, all six links of a chip share
// all ways. 8x4x4: 1 byte a link against 3.4375 / 6; 8x8x4: 1 against 4.3125 / 6. Times have a little latency besides.
TEST(TorusPlaces, ATwistQuickensAnAllToAllByAsMuchAsItSparesLinks) {
  for (const auto& [chips, derived] : {std::pair(128, 6 / 3.4375), std::pair(256, 6 / 4.3125)}) {
    const work::Collective c{.kind = work::CollectiveKind::all_to_all, .bytes = Bytes(1e9), .ranks = chips};
    const double gain = estimate_torus(c, tpu_v4_pod().fabric).time / estimate_torus(c, twisted_v4()).time;
    EXPECT_NEAR(gain / derived, 1, 0.01);
  }
}

}  // namespace
}  // namespace mlosim::net
