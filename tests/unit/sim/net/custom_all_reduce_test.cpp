#include "sim/net/custom_all_reduce.hpp"

#include <gtest/gtest.h>

namespace mlosim::net {
namespace {

const spec::CustomAllReduce kCustom{.start = 10,
                                    .hop = 0.5,
                                    .second_shot = 20,
                                    .one_shot_efficiency = 0.5,
                                    .two_shot_efficiency = 0.8,
                                    .largest = Bytes(8e6),
                                    .cases = {{.family = "ampere", .ranks = 8, .start = 12, .largest = Bytes(4e6)},
                                              {.family = "ampere", .ranks = {}, .start = {}, .largest = Bytes(2e6)}}};

CustomPrice price(double bytes, std::int64_t ranks) {
  return estimate_custom_all_reduce({.kind = work::CollectiveKind::all_reduce, .bytes = Bytes(bytes), .ranks = ranks},
                                    kCustom, BytesPerSecond(400e9), Seconds(0.4e-6));
}

TEST(CustomAllReduce, AShortMessageTakesOneShot) {
  const CustomPrice p = price(16e3, 8);
  EXPECT_TRUE(p.one_shot);
  EXPECT_DOUBLE_EQ(p.time.si(), 0.4e-6 * (10 + 0.5 * 6) + 16e3 * 7 / (0.5 * 400e9));
  EXPECT_DOUBLE_EQ(p.sent.si(), 16e3 * 7);
}

TEST(CustomAllReduce, ALongMessageTakesTwoShots) {
  const CustomPrice p = price(4e6, 8);
  EXPECT_FALSE(p.one_shot);
  EXPECT_DOUBLE_EQ(p.time.si(), 0.4e-6 * (10 + 20 + 0.5 * 6) + 2 * 4e6 * 7 / 8 / (0.8 * 400e9));
  EXPECT_DOUBLE_EQ(p.sent.si(), 2 * 4e6 * 7 / 8);
}

TEST(CustomAllReduce, TimeGrowsWithBytesAndRanks) {
  for (double bytes = 256; bytes < 8e6; bytes *= 1.5) {
    for (std::int64_t ranks = 2; ranks <= 8; ++ranks) {
      EXPECT_LT(price(bytes, ranks).time, price(bytes * 1.5, ranks).time);
      EXPECT_LT(price(bytes, ranks).time, price(bytes, ranks + 1).time);
    }
  }
}

TEST(CustomAllReduce, TheFirstCaseThatFitsHolds) {
  EXPECT_EQ(kCustom.at("ampere", 8).largest, Bytes(4e6));
  EXPECT_EQ(kCustom.at("ampere", 8).start, 12);
  EXPECT_EQ(kCustom.at("ampere", 4).largest, Bytes(2e6));
  EXPECT_EQ(kCustom.at("ampere", 4).start, 10);
  EXPECT_EQ(kCustom.at("hopper", 8).largest, Bytes(8e6));
}

TEST(CustomAllReduce, ACaseEndsNoLaterThanTheKernelDoes) {
  spec::CustomAllReduce small = kCustom;
  small.largest = Bytes(1);
  EXPECT_EQ(small.at("ampere", 8).largest, Bytes(1));
}

}  // namespace
}  // namespace mlosim::net
