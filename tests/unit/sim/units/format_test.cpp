#include "sim/units/format.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <variant>

namespace mlosim {
namespace {

constexpr Dimension kData{.data = 1};

TEST(FormatShort, ThePrefixKeepsTheNumberBetween1And1000) {
  EXPECT_EQ(format_short(BytesPerSecond(4.8e12)), "4.80 TB/s");
  EXPECT_EQ(format_short(Seconds(0.0123)), "12.3 ms");
  EXPECT_EQ(format_short(Seconds(1.23e-7)), "123 ns");
  EXPECT_EQ(format_short(Seconds(12)), "12.0 s");
  EXPECT_EQ(format_short(Watts(700)), "700 W");
  EXPECT_EQ(format_short(FlopsPerSecond(989e12)), "989 Tflop/s");
  EXPECT_EQ(format_short(Hertz(1.98e9)), "1.98 GHz");
  EXPECT_EQ(format_short(JoulesPerFlop(0.65e-12)), "650 fJ/flop");
}

TEST(FormatShort, RoundingMayMoveToTheNextPrefix) {
  EXPECT_EQ(format_short(Bytes(999.4)), "999 B");
  EXPECT_EQ(format_short(Bytes(999.7)), "1.00 kB");
  EXPECT_EQ(format_short(Bytes(999999)), "1.00 MB");
  EXPECT_EQ(format_short(Bytes(9.999)), "10.0 B");
  EXPECT_EQ(format_short(Seconds(9.996e-4)), "1.00 ms");
}

TEST(FormatShort, EveryPowerOfTenHasTheDigitsAskedFor) {
  for (int exponent = -15; exponent <= 20; ++exponent) {
    const std::string text = format_short(Bytes(std::stod("1e" + std::to_string(exponent))));
    const std::string number = text.substr(0, text.find(' '));
    const char* expected[] = {"1.00", "10.0", "100"};
    EXPECT_EQ(number, expected[(exponent + 15) % 3]) << text;
  }
}

TEST(FormatShort, TheNumberOfDigitsIsACallersChoice) {
  EXPECT_EQ(format_short(1234567, kData, 5), "1.2346 MB");
  EXPECT_EQ(format_short(1234567, kData, 1), "1 MB");
  EXPECT_EQ(format_short(999.7, kData, 4), "999.7 B");
}

TEST(FormatShort, ZeroAndNegativeNumbersAreWritten) {
  EXPECT_EQ(format_short(Bytes(0)), "0.00 B");
  EXPECT_EQ(format_short(Bytes(-2.5e9)), "-2.50 GB");
  EXPECT_EQ(format_short(Seconds(-999.7)), "-1.00 ks");
}

TEST(FormatShort, BinaryPrefixesAreForBytesAlone) {
  EXPECT_EQ(format_short(Bytes(141e9), 3, Prefixes::iec), "131 GiB");
  EXPECT_EQ(format_short(Bytes(0.5), 3, Prefixes::iec), "0.500 B");
  EXPECT_EQ(format_short(BytesPerSecond(0x1p40), 3, Prefixes::iec), "1.00 TiB/s");
  EXPECT_EQ(format_short(Seconds(1500), 3, Prefixes::iec), "1.50 ks");
}

// 1000 to 1023 of a binary prefix have four digits before the point.
TEST(FormatShort, BinaryPrefixesStepAt1024) {
  EXPECT_EQ(format_short(Bytes(1010), 3, Prefixes::iec), "1010 B");
  EXPECT_EQ(format_short(Bytes(1024), 3, Prefixes::iec), "1.00 KiB");
}

TEST(FormatShort, PlainNumbersAndMoneyTakeNoPrefix) {
  EXPECT_EQ(format_short(12345, Dimension{}), "12345");
  EXPECT_EQ(format_short(0.000123, Dimension{}), "0.000123");
  EXPECT_EQ(format_short(Dollars(0.00012)), "0.000120 USD");
  EXPECT_EQ(format_short(Dollars(30000)), "30000 USD");
}

TEST(FormatShort, UnitsWithoutANameAreWrittenInBaseUnits) {
  EXPECT_EQ(format_short(2, Dimension{.time = 2, .data = 1}), "2.00 B*s*s");
  EXPECT_EQ(format_short(2, Dimension{.data = -1}), "2.00/B");
}

TEST(FormatShort, NumbersBeyondThePrefixesKeepTheOutermost) {
  EXPECT_EQ(format_short(Bytes(1.5e22)), "15000 EB");
  EXPECT_EQ(format_short(Seconds(1e-17)), "0.0100 fs");
}

TEST(FormatShort, NoDoubleIsTooSmallOrTooLarge) {
  EXPECT_EQ(format_short(Seconds(5e-324)), "4.94e-324 s");
  EXPECT_EQ(format_short(std::numeric_limits<double>::infinity(), kData), "inf B");
  EXPECT_EQ(format_short(Bytes(std::numeric_limits<double>::max())), "1.80e+308 B");
  EXPECT_EQ(format_short(Seconds(3.5e29)), "3.50e+29 s");
}

TEST(FormatExact, WhatIsWrittenIsReadBackToTheSameNumber) {
  const Dimension dimensions[] = {{},
                                  {.time = 1},
                                  {.time = -1},
                                  {.time = -2},
                                  {.data = 1},
                                  {.time = -1, .data = 1},
                                  {.work = 1},
                                  {.time = -1, .work = 1},
                                  {.energy = 1},
                                  {.time = -1, .energy = 1},
                                  {.work = -1, .energy = 1},
                                  {.data = -1, .energy = 1},
                                  {.money = 1},
                                  {.time = -1, .money = 1},
                                  {.data = -1},
                                  {.time = 2, .data = -1, .work = 2, .energy = -1, .money = -2}};
  for (const Dimension& dimension : dimensions) {
    for (int exponent = -300; exponent <= 300; exponent += 7) {
      for (const double mantissa : {1.0, -1.0, 4.8, 1.0 / 3.0, 9.999999999999999}) {
        const double x = mantissa * std::pow(10.0, exponent);
        const std::string text = format_exact(x, dimension);
        const auto parsed = parse_quantity_as(text, dimension);
        const double* read = std::get_if<double>(&parsed);
        ASSERT_NE(read, nullptr) << text << ": " << std::get<ParseError>(parsed).message;
        EXPECT_EQ(*read, x) << text;
      }
    }
  }
}

TEST(FormatExact, TheEndsOfTheRangeAreReadBackToo) {
  for (const double x :
       {0.0, std::numeric_limits<double>::max(), std::numeric_limits<double>::min(), 0x1p53 + 1, 0.1 + 0.2}) {
    EXPECT_EQ(std::get<double>(parse_quantity_as(format_exact(Seconds(x)), {.time = 1})), x)
        << format_exact(Seconds(x));
  }
}

TEST(FormatExact, TheUnitIsTheBaseUnit) {
  EXPECT_EQ(format_exact(BytesPerSecond(4.5)), "4.5 B/s");
  EXPECT_EQ(format_exact(Watts(700)), "700 W");
  EXPECT_EQ(format_exact(0.5, Dimension{}), "0.5");
}

}  // namespace
}  // namespace mlosim
