#include "sim/units/quantity.hpp"

#include <gtest/gtest.h>

#include <type_traits>

#include "sim/units/parse.hpp"

namespace mlosim {
namespace {

// The algebra of dimensions is checked while this file compiles.
static_assert(std::is_same_v<decltype(Bytes(1) / BytesPerSecond(1)), Seconds>);
static_assert(std::is_same_v<decltype(Bytes(1) / Seconds(1)), BytesPerSecond>);
static_assert(std::is_same_v<decltype(BytesPerSecond(1) * Seconds(1)), Bytes>);
static_assert(std::is_same_v<decltype(Flops(1) / FlopsPerSecond(1)), Seconds>);
static_assert(std::is_same_v<decltype(Flops(1) * Hertz(1)), FlopsPerSecond>);
static_assert(std::is_same_v<decltype(Watts(1) * Seconds(1)), Joules>);
static_assert(std::is_same_v<decltype(Joules(1) / Seconds(1)), Watts>);
static_assert(std::is_same_v<decltype(Joules(1) / Bytes(1)), JoulesPerByte>);
static_assert(std::is_same_v<decltype(Flops(1) * JoulesPerFlop(1)), Joules>);
static_assert(std::is_same_v<decltype(DollarsPerSecond(1) * Seconds(1)), Dollars>);
static_assert(std::is_same_v<decltype(1.0 / Seconds(1)), Hertz>);
static_assert(std::is_same_v<decltype(Seconds(1) / Seconds(1)), double>, "a ratio is a plain number");
static_assert(std::is_same_v<decltype(Seconds(1) * Hertz(1)), double>);
static_assert(std::is_same_v<decltype(2 * Seconds(1) / 3), Seconds>);
static_assert(!std::is_convertible_v<double, Seconds>, "a number is no time");
static_assert(!std::is_convertible_v<Seconds, double>);
static_assert(!std::is_constructible_v<Seconds, Bytes>);
static_assert(std::is_trivially_copyable_v<Seconds> && sizeof(Seconds) == sizeof(double));

static_assert(Bytes(6) / BytesPerSecond(2) == Seconds(3));
static_assert(Seconds(1) + Seconds(2) - Seconds(4) == -Seconds(1));
static_assert(Seconds(1) < Seconds(2) && Seconds(2) <= Seconds(2));
static_assert(Seconds() == Seconds(0), "a quantity starts at zero");

TEST(Quantity, CompoundAssignmentIsTheOperatorInPlace) {
  Seconds t(3);
  t += Seconds(2);
  EXPECT_EQ(t, Seconds(5));
  t -= Seconds(1);
  EXPECT_EQ(t, Seconds(4));
  t *= 3;
  EXPECT_EQ(t, Seconds(12));
  t /= 8;
  EXPECT_EQ(t, Seconds(1.5));
}

TEST(Quantity, TheDimensionOfATypeIsKnownAsAValue) {
  EXPECT_EQ(dimension_of(Seconds()), (Dimension{.time = 1}));
  EXPECT_EQ(dimension_of(BytesPerSecond()), (Dimension{.time = -1, .data = 1}));
  EXPECT_EQ(dimension_of(Watts()), (Dimension{.time = -1, .energy = 1}));
  EXPECT_EQ(dimension_of(JoulesPerFlop()), (Dimension{.work = -1, .energy = 1}));
  EXPECT_EQ(dimension_of(DollarsPerSecond()), (Dimension{.time = -1, .money = 1}));
}

}  // namespace
}  // namespace mlosim
