#include "models/explore/expression.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace mlosim::explore {
namespace {

// x is a plain number in slot 0, size a size in slot 1, rate 2 TB/s for good.
Meaning known(const std::string& name) {
  if (name == "x") return {.slot = 0, .dimension = {}};
  if (name == "chip.l2.size") return {.slot = 1, .dimension = {.data = 1}};
  if (name == "rate") return {.slot = {}, .constant = 2e12, .dimension = {.time = -1, .data = 1}};
  throw spec::InputError("'" + name + "' is unknown", "did you mean 'x'?");
}

Expression parse(const std::string& text) { return parse_expression(text, {"f", 3, 4}, "derived.p", known); }
double value(const std::string& text, double x = 3, double size = 64) {
  return parse(text).evaluate(std::vector<double>{x, size});
}
std::string refusal(const std::string& text) {
  try {
    parse(text);
  } catch (const spec::InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Expression, ReadsArithmeticInTheUsualOrder) {
  EXPECT_EQ(value("1 + 2 * 3"), 7);
  EXPECT_EQ(value("(1 + 2) * 3"), 9);
  EXPECT_EQ(value("2 - 1 - 1"), 0);
  EXPECT_EQ(value("8 / 2 / 2"), 2);
  EXPECT_EQ(value("-x ^ 2"), -9);
  EXPECT_EQ(value("2 * x^-1"), 2.0 / 3);
  EXPECT_EQ(value("1.5e2 * x"), 450);
}

TEST(Expression, UnitsCountAndBlanksDoNot) {
  EXPECT_EQ(value("4 TB/s"), 4e12);
  EXPECT_EQ(value("4 TB/s/rate"), 2);
  EXPECT_EQ(value("1 MiB / 1 KiB"), 1024);
  EXPECT_EQ(value("\n chip.l2.size /\t32 B "), 2);
  EXPECT_EQ(parse("4 TB/s * 2 s").dimension(), (Dimension{.data = 1}));
  EXPECT_EQ(parse("sqrt(chip.l2.size ^ 2)").dimension(), (Dimension{.data = 1}));
}

TEST(Expression, FunctionsRoundToMultiples) {
  EXPECT_EQ(value("floor(7 / 2)"), 3);
  EXPECT_EQ(value("ceil(7 / 2)"), 4);
  EXPECT_EQ(value("round(10, 4)"), 12);
  EXPECT_EQ(value("floor(chip.l2.size, 48 B)"), 48);
  EXPECT_EQ(value("floor(0.3 / 0.1)"), 3) << "what is a multiple but for its last bits is one";
  EXPECT_EQ(value("min(3, 2, 5)"), 2);
  EXPECT_EQ(value("max(x, 2)"), 3);
}

TEST(Expression, DimensionsThatDoNotGoTogetherAreRefused) {
  EXPECT_NE(refusal("1 s + 1 B").find("of one kind"), std::string::npos);
  EXPECT_NE(refusal("min(1 s, 2)").find("of one kind"), std::string::npos);
  EXPECT_NE(refusal("sqrt(1 s)").find("square root"), std::string::npos);
  EXPECT_NE(refusal("floor(chip.l2.size)").find("needs a step"), std::string::npos);
}

TEST(Expression, MistakesSayWhereAndWhat) {
  EXPECT_NE(refusal("1 +").find("f:3:4"), std::string::npos);
  EXPECT_NE(refusal("1 +").find("a value was expected"), std::string::npos);
  EXPECT_NE(refusal("(1").find("')' is missing"), std::string::npos);
  EXPECT_NE(refusal("1 2").find("was not expected"), std::string::npos);
  EXPECT_NE(refusal("flor(2)").find("did you mean 'floor'"), std::string::npos);
  EXPECT_NE(refusal("y").find("did you mean 'x'"), std::string::npos);
  EXPECT_NE(refusal("3 parsec").find("parsec"), std::string::npos);
  EXPECT_NE(refusal("2 ^ x").find("whole number"), std::string::npos);
  EXPECT_NE(refusal(std::string(100'000, '(')), "");
  EXPECT_NE(refusal(std::string(100'000, '-') + "1"), "");
}

TEST(Expression, DivisionByZeroHasNoValue) { EXPECT_TRUE(std::isnan(value("1 / (x - 3)"))); }

TEST(Expression, NamesTheSlotsItTakes) {
  EXPECT_EQ(parse("chip.l2.size / 1 B + x + x").slots(), (std::vector<std::size_t>{1, 0}));
}

TEST(Comparison, HoldsAsItSays) {
  const std::vector<double> slots{3, 64};
  const auto holds = [&](const std::string& text) {
    return parse_comparison(text, {}, "constraints", known).holds(slots);
  };
  EXPECT_TRUE(holds("x <= 3"));
  EXPECT_FALSE(holds("x <= 2.9"));
  EXPECT_TRUE(holds("chip.l2.size >= 64 B"));
  EXPECT_TRUE(holds("2 * x == 6"));
  EXPECT_FALSE(holds("x < 3"));
  EXPECT_TRUE(holds("x < 3.1"));
  EXPECT_FALSE(holds("3 > x"));
  EXPECT_FALSE(holds("x > 3")) << "and not by rounding either: 3 is 0.3 / 0.1";
  EXPECT_FALSE(holds("0.3 / 0.1 < x"));
  EXPECT_THROW(holds("x"), spec::InputError);
  EXPECT_THROW(holds("x <= 1 s"), spec::InputError);
}

TEST(Comparison, DoesNotHoldWhereASideIsNoNumber) {
  const std::vector<double> slots{3, 64};
  for (const std::string text : {"1 / (x - 3) <= 5", "(x - 3)^-1 >= 5", "sqrt(2 - x) == sqrt(2 - x)",
                                 "10^300 * 10^300 > 1", "1 > -10^300 * 10^300"}) {
    const Comparison comparison = parse_comparison(text, {}, "constraints", known);
    EXPECT_FALSE(comparison.has_value(slots)) << text;
    EXPECT_FALSE(comparison.holds(slots)) << text;
  }
}

TEST(Expression, ALoneSlotIsToldFromAnExpressionOfIt) {
  EXPECT_EQ(parse("x").lone_slot(), std::optional<std::size_t>(0));
  for (const char* text : {"max(x, 1)", "ceil(x)", "x + 0", "2"})
    EXPECT_EQ(parse(text).lone_slot(), std::nullopt) << text;
}

}  // namespace
}  // namespace mlosim::explore
