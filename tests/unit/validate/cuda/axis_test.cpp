#include "validate/cuda/measure/axis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace mlosim::measure {
namespace {

using testing::ElementsAre;

TEST(MeasureAxis, CountsAreReadWithBinarySuffixes) {
  EXPECT_EQ(parse_count("4096"), 4096);
  EXPECT_EQ(parse_count("64KiB"), 65536);
  EXPECT_EQ(parse_count("64 kib"), 65536);
  EXPECT_EQ(parse_count("8G"), 8LL << 30);
  EXPECT_EQ(parse_count("0"), 0);
}

TEST(MeasureAxis, WhatIsNoCountIsRefused) {
  for (const char* text : {"", "-1", "KiB", "4 kb", "1.5M", "99999999999999999999", "9223372036854775807K", "12x"})
    EXPECT_THROW(parse_count(text), std::invalid_argument) << text;
}

TEST(MeasureAxis, GeometricStepsStayWithinTheirEnds) {
  EXPECT_THAT(geometric(4, 64, 4), ElementsAre(4, 16, 64));
  EXPECT_THAT(geometric(4, 63, 4), ElementsAre(4, 16));
  EXPECT_THAT(integer_axis("m", {1, 2}).values, ElementsAre("1", "2"));
}

TEST(MeasureAxis, AStateIsReadByTheNamesOfItsAxes) {
  const State state(Coordinates{{"op", "copy"}, {"bytes", "4KiB"}});
  EXPECT_EQ(state.text("op"), "copy");
  EXPECT_EQ(state.integer("bytes"), 4096);
  EXPECT_EQ(state.name(), "op=copy bytes=4KiB");
  EXPECT_THROW(state.text("m"), std::logic_error);
}

}  // namespace
}  // namespace mlosim::measure
