#include "sim/units/parse.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <variant>

namespace mlosim {
namespace {

using testing::HasSubstr;

constexpr Dimension kNone{};
constexpr Dimension kTime{.time = 1};
constexpr Dimension kRate{.time = -1};
constexpr Dimension kData{.data = 1};
constexpr Dimension kDataRate{.time = -1, .data = 1};

ParsedQuantity parse(std::string_view text) {
  const auto parsed = parse_quantity(text);
  if (const auto* error = std::get_if<ParseError>(&parsed)) {
    ADD_FAILURE() << "'" << text << "': " << error->message;
    return {};
  }
  return std::get<ParsedQuantity>(parsed);
}

// Message and hint, or what was read instead of an error.
std::string error_of(std::string_view text) {
  const auto parsed = parse_quantity(text);
  if (const auto* quantity = std::get_if<ParsedQuantity>(&parsed)) return "was read as " + std::to_string(quantity->si);
  const auto& error = std::get<ParseError>(parsed);
  return error.message + "; " + error.hint;
}

std::string error_of(std::string_view text, Dimension expected) {
  const auto parsed = parse_quantity_as(text, expected);
  if (const double* si = std::get_if<double>(&parsed)) return "was read as " + std::to_string(*si);
  const auto& error = std::get<ParseError>(parsed);
  return error.message + "; " + error.hint;
}

void expect(std::string_view text, double si, Dimension dimension) {
  const ParsedQuantity quantity = parse(text);
  EXPECT_DOUBLE_EQ(quantity.si, si) << text;
  EXPECT_EQ(quantity.dimension, dimension) << text;
}

TEST(Parse, EveryUnitMeansWhatItsNameSays) {
  expect("2 s", 2, kTime);
  expect("2 min", 120, kTime);
  expect("2 h", 7200, kTime);
  expect("2 day", 172800, kTime);
  expect("2 B", 2, kData);
  expect("2 bit", 0.25, kData);
  expect("2 Hz", 2, kRate);
  expect("2 flop", 2, {.work = 1});
  expect("2 FLOP", 2, {.work = 1});
  expect("2 op", 2, {.work = 1});
  expect("2 OP", 2, {.work = 1});
  expect("2 FLOPS", 2, {.time = -1, .work = 1});
  expect("2 OPS", 2, {.time = -1, .work = 1});
  expect("2 J", 2, {.energy = 1});
  expect("2 Wh", 7200, {.energy = 1});
  expect("2 W", 2, {.time = -1, .energy = 1});
  expect("2 USD", 2, {.money = 1});
  expect("2 $", 2, {.money = 1});
  expect("2 clk", 2, kNone);
}

TEST(Parse, DecimalPrefixesArePowersOfTen) {
  const std::pair<const char*, double> prefixes[] = {{"f", 1e-15}, {"p", 1e-12}, {"n", 1e-9}, {"u", 1e-6},
                                                     {"µ", 1e-6},  {"m", 1e-3},  {"k", 1e3},  {"M", 1e6},
                                                     {"G", 1e9},   {"T", 1e12},  {"P", 1e15}, {"E", 1e18}};
  for (const auto& [prefix, factor] : prefixes) {
    expect(std::string("3 ") + prefix + "s", 3 * factor, kTime);
    expect(std::string("3 ") + prefix + "B", 3 * factor, kData);
    expect(std::string("3 ") + prefix + "J", 3 * factor, {.energy = 1});
  }
}

TEST(Parse, BinaryPrefixesArePowersOf1024) {
  expect("1 KiB", 1024, kData);
  expect("1 MiB", 1024.0 * 1024, kData);
  expect("1 GiB", 0x1p30, kData);
  expect("1 TiB", 0x1p40, kData);
  expect("1 PiB", 0x1p50, kData);
  expect("1 GiB/s", 0x1p30, kDataRate);
  EXPECT_GT(parse("1 GiB").si, parse("1 GB").si);
}

TEST(Parse, BinaryPrefixesAreForCountedThingsAlone) {
  EXPECT_THAT(error_of("10 Kis"), HasSubstr("'Kis' is not a unit"));
  EXPECT_THAT(error_of("10 KiHz"), HasSubstr("'KiHz' is not a unit"));
  EXPECT_THAT(error_of("10 MiW"), HasSubstr("'MiW' is not a unit"));
}

TEST(Parse, UnitsAreDividedAndMultiplied) {
  expect("4.8 TB/s", 4.8e12, kDataRate);
  expect("900 Gbit/s", 112.5e9, kDataRate);
  expect("0.6 pJ/flop", 0.6e-12, {.work = -1, .energy = 1});
  expect("60 pJ/bit", 480e-12, {.data = -1, .energy = 1});
  expect("2.5 USD/h", 2.5 / 3600, {.time = -1, .money = 1});
  expect("2 kW*h", 7.2e6, {.energy = 1});
  expect("32 B/clk", 32, kData);
  expect("3 J/s/W", 3, kNone);
  expect("12/s", 12, kRate);
  expect("12 / s", 12, kRate);
  expect("12/ms", 12e3, kRate);
}

TEST(Parse, BlanksAroundAndBetweenAreFree) {
  expect("3us", 3e-6, kTime);
  expect("  3   us\t", 3e-6, kTime);
  expect("4.8 TB / s", 4.8e12, kDataRate);
}

TEST(Parse, NumbersAreWrittenAsUsual) {
  expect("1e3 s", 1000, kTime);
  expect("1E-3 s", 0.001, kTime);
  expect("+2.5 s", 2.5, kTime);
  expect("-2.5 s", -2.5, kTime);
  expect(".5 s", 0.5, kTime);
  expect("010", 10, kNone);  // YAML 1.1 would have it octal
  expect("0", 0, kNone);
}

TEST(Parse, ABareNumberHasNoUnit) {
  EXPECT_FALSE(parse("8").has_unit);
  EXPECT_TRUE(parse("8 clk").has_unit);
  EXPECT_TRUE(parse("8 s").has_unit);
}

TEST(Parse, WhatIsNoFiniteNumberIsRefused) {
  for (const char* text : {"", " ", "s", "fast", "nan", "NaN", "inf", "-inf", "infinity", "nan s", "+", "-", "+-3 s",
                           "++3 s", "--3 s", "/s", ","}) {
    EXPECT_THAT(error_of(text), HasSubstr("is not a number with a unit")) << text;
  }
  EXPECT_THAT(error_of("fast"), HasSubstr("write it as in '4.8 TB/s'"));
}

TEST(Parse, WhatIsTooLargeIsRefused) {
  EXPECT_THAT(error_of("1e400"), HasSubstr("'1e400' is out of range"));
  EXPECT_THAT(error_of("-1e400 s"), HasSubstr("out of range"));
  EXPECT_THAT(error_of("1e308 EB"), HasSubstr("out of range"));
  EXPECT_THAT(error_of("1e308 /fs"), HasSubstr("out of range"));
}

TEST(Parse, TextThatIsNoUnitIsNamed) {
  EXPECT_THAT(error_of("10 KiS"), HasSubstr("'KiS' is not a unit"));
  EXPECT_THAT(error_of("4.8 TB/sec"), HasSubstr("'sec' is not a unit"));
  EXPECT_THAT(error_of("4,8 TB"), HasSubstr("is not a unit"));
  EXPECT_THAT(error_of("0x10"), HasSubstr("'x10' is not a unit"));
  EXPECT_THAT(error_of("1_000"), HasSubstr("is not a unit"));
  EXPECT_THAT(error_of("5 k"), HasSubstr("'k' is not a unit"));
  EXPECT_THAT(error_of("5 kmin"), HasSubstr("'kmin' is not a unit"));
  EXPECT_THAT(error_of("5 kKB"), HasSubstr("'kKB' is not a unit"));
  EXPECT_THAT(error_of("3 GB s"), HasSubstr("'GB s' is not a unit"));
  EXPECT_THAT(error_of("3 xB"), HasSubstr("units: s min h"));
}

TEST(Parse, AnOperatorNeedsAUnitAfterIt) {
  for (const char* text : {"4.8 TB/", "4.8 TB / ", "4.8 /", "3 B*", "3 B/s/"}) {
    EXPECT_THAT(error_of(text), HasSubstr("ends where a unit is due")) << text;
  }
  EXPECT_THAT(error_of("3 B//s"), HasSubstr("'' is not a unit"));
}

TEST(Parse, AQuantityOfAnotherKindIsRefusedByName) {
  EXPECT_EQ(error_of("4.8 TB", kDataRate),
            "'4.8 TB' is a size (such as 141 GB); expected a data rate (such as 4.8 TB/s)");
  EXPECT_EQ(error_of(" 4.8 ", kDataRate), "'4.8' has no unit; expected a data rate (such as 4.8 TB/s)");
  EXPECT_THAT(error_of("3 us", kNone), HasSubstr("expected a plain number"));
  EXPECT_THAT(error_of("989 TFLOP", {.time = -1, .work = 1}),
              HasSubstr("expected a compute rate (such as 989 TFLOP/s)"));
  EXPECT_THAT(error_of("5 J", {.time = 3, .money = -1}), HasSubstr("s^3 B^0 flop^0 J^0 USD^-1"));
}

TEST(Parse, AQuantityOfTheRightKindIsItsNumberInBaseUnits) {
  EXPECT_EQ(std::get<double>(parse_quantity_as("4.8 TB/s", kDataRate)), 4.8e12);
  EXPECT_EQ(std::get<double>(parse_quantity_as("8", kNone)), 8);
  EXPECT_EQ(std::get<double>(parse_quantity_as("800 clk", kNone)), 800);
  EXPECT_EQ(std::get<double>(parse_quantity_as("0 s", kTime)), 0);
}

// "…a time (such as 3 us)": what a hint offers must itself be right.
TEST(Parse, TheExampleInEveryHintIsOfItsKind) {
  const Dimension named[] = {kTime,
                             kRate,
                             kData,
                             kDataRate,
                             {.work = 1},
                             {.time = -1, .work = 1},
                             {.energy = 1},
                             {.time = -1, .energy = 1},
                             {.work = -1, .energy = 1},
                             {.data = -1, .energy = 1},
                             {.money = 1},
                             {.time = -1, .money = 1}};
  for (const Dimension& dimension : named) {
    const std::string text = describe(dimension);
    const std::size_t start = text.find("such as ");
    ASSERT_NE(start, std::string::npos) << text;
    const std::string example = text.substr(start + 8, text.size() - start - 9);
    EXPECT_EQ(parse(example).dimension, dimension) << example;
  }
}

}  // namespace
}  // namespace mlosim
