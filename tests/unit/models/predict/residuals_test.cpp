// Promises of the residuals' look-up and of their file.
#include "models/predict/residuals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "sim/spec/document.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/unit/sim/spec/small_library.hpp"

namespace mlosim::predict {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kHead = R"(schema: mlosim/residuals/1
source: rows of two chips
fidelity: event
steps: {chip: {usual: 0.1, gemm: 0.12}, family: {usual: 0.3}, runtime: {usual: 0.05}, format: {usual: 0.08}, op: {usual: 0.2}, kind: {usual: 0.25}, size: {usual: 0.1}}
correlation: {within_kind: 0.3, across_kinds: 0.1}
host: {value: 0.25, kind: assumed, source: a guess}
network: {value: 0.2, kind: measured, source: "published times, \"all\" of them"}
)";
constexpr const char* kCurves = R"(chips: {a: f, b: g}
curves:
  gemm:
    a:
      - {of: [x bf16], rows: 200, times: 1 us to 1 ms, ends: [10 us -0.1 0.05, 100 us -0.2 0.15]}
    b:
      - {of: [x bf16, x fp8, y bf16], rows: 100, times: 1 us to 1 ms, ends: [10 us -0.3 0.4]}
  rmsnorm:
    a:
      - {of: [x bf16], rows: 50, times: 1 us to 1 ms, ends: [10 us 0 0.3]}
)";

ResidualTable decode(const std::string& text, spec::Decoding& decoding) {
  const spec::Value document = spec::parse_document(text, "residuals.yaml");
  return decode_residuals(spec::Node(&document, "residuals", &decoding));
}

ResidualTable table() {
  spec::Decoding decoding;
  ResidualTable decoded = decode(std::string(kHead) + kCurves, decoding);
  decoding.diagnostics.throw_if_any();
  return decoded;
}

std::string mistake(const std::string& what, const std::string& by) {
  std::string text = std::string(kHead) + kCurves;
  spec::SmallLibrary::replace(text, what, by);
  try {
    spec::Decoding decoding;
    decode(text, decoding);
    decoding.diagnostics.throw_if_any();
    return "none";
  } catch (const spec::InputError& error) {
    return error.what();
  }
}

ResidualKey key(Seconds time = Seconds(10e-6)) {
  return {.chip = "a", .family = "f", .runtime = "x", .op = "gemm", .format = "bf16", .time = time};
}

double width(const Residuals& residuals, const ResidualKey& k) {
  const Quantiles q = residuals.of(k);
  return q.upper() - q.lower();
}

TEST(Residuals, AMeasuredCellAnswersItsOwnQuantiles) {
  const Quantiles q = Residuals(table()).of(key());
  EXPECT_DOUBLE_EQ(q.low, -0.1);
  EXPECT_DOUBLE_EQ(q.high, 0.05);
  EXPECT_EQ(q.distance, 0);
  EXPECT_DOUBLE_EQ(q.lower(), -0.1);
  EXPECT_DOUBLE_EQ(q.upper(), 0.05);
}

TEST(Residuals, BetweenTwoPointsQuantilesAreLinearInTheLogarithmOfTime) {
  const Quantiles q = Residuals(table()).of(key(Seconds(std::sqrt(10e-6 * 100e-6))));
  EXPECT_NEAR(q.low, -0.15, 1e-12);
  EXPECT_NEAR(q.high, 0.10, 1e-12);
}

TEST(Residuals, ASmallChangeOfTimeIsASmallChangeOfTheInterval) {
  const Residuals residuals(table());
  double last = width(residuals, key(Seconds(1e-7)));
  for (double t = 1e-7; t < 1; t *= 1.01) {
    const double now = width(residuals, key(Seconds(t)));
    EXPECT_NEAR(now, last, 0.005) << t;
    last = now;
  }
}

TEST(Residuals, OutsideOfTheMeasuredTimesIntervalsWidenWithTheDistance) {
  const Residuals residuals(table());
  EXPECT_EQ(residuals.of(key(Seconds(1e-3))).distance, 0);
  EXPECT_NEAR(residuals.of(key(Seconds(1e-3 * std::exp(2)))).distance, 0.2, 1e-12);
  EXPECT_NEAR(residuals.of(key(Seconds(1e-6 / std::exp(3)))).distance, 0.3, 1e-12);
}

TEST(Residuals, NoStepAwayFromTheMeasuredNarrowsAnInterval) {
  ResidualTable one = table();
  one.curves.resize(1);
  const Residuals residuals(one);
  ResidualKey k = key();
  double last = width(residuals, k);
  const auto step = [&](std::string ResidualKey::*field, const std::string& other) {
    k.*field = other;
    const double now = width(residuals, k);
    EXPECT_GT(now, last) << other;
    last = now;
  };
  step(&ResidualKey::format, "fp8");
  step(&ResidualKey::runtime, "z");
  step(&ResidualKey::chip, "c");
  step(&ResidualKey::family, "h");
  step(&ResidualKey::op, "softmax");
}

TEST(Residuals, AStepAddsItsDistanceInSquares) {
  const Residuals residuals(table());
  ResidualKey k = key();
  k.chip = "c";
  EXPECT_NEAR(residuals.of(k).distance, 0.12, 1e-12);  // of its own operator
  k.runtime = "z";
  EXPECT_NEAR(residuals.of(k).distance, std::hypot(0.12, 0.05), 1e-12);
  EXPECT_NEAR(residuals.of(k).lower(), -std::hypot(0.1, 0.12, 0.05), 1e-12);
}

TEST(Residuals, TheNearestCurveIsTaken) {
  ResidualKey k = key();
  k.chip = "c";
  k.family = "g";
  EXPECT_DOUBLE_EQ(Residuals(table()).of(k).high, 0.4);
}

TEST(Residuals, CurvesThatAreEquallyFarAreAveraged) {
  ResidualKey k = key();
  k.chip = "c";
  k.family = "h";
  const Quantiles q = Residuals(table()).of(k);
  EXPECT_NEAR(q.low, -0.2, 1e-12);
  EXPECT_NEAR(q.high, 0.225, 1e-12);
}

TEST(Residuals, AnOperatorWithoutRowsIsTakenFromItsKind) {
  ResidualKey k = key();
  k.op = "softmax";
  const Quantiles q = Residuals(table()).of(k);
  EXPECT_DOUBLE_EQ(q.high, 0.3);
  EXPECT_NEAR(q.distance, std::hypot(0.2, 0.3), 1e-12);
  k.op = "mla_decode";  // no attention was measured: any kind of the same chip
  EXPECT_NEAR(Residuals(table()).of(k).distance, std::hypot(0.25, 0.3), 1e-12);
}

TEST(Residuals, ParametersThatNobodyFittedCountOnce) {
  ResidualTable one = table();
  one.curves.resize(1);
  const Residuals residuals(one);
  ResidualKey k = key();
  k.op = "moe_gemm";
  EXPECT_NEAR(residuals.of(k).distance, std::hypot(0.25, 0.3), 1e-12);
  k.chip = "c";
  const double sibling = residuals.of(k).distance;
  EXPECT_NEAR(sibling, std::hypot(0.25, 0.3, 0.1), 1e-12);
  k.family = "h";
  EXPECT_NEAR(residuals.of(k).distance, sibling, 1e-12);
}

TEST(Residuals, FormatsNameTheActivationsAndWhatDiffersFromThem) {
  EXPECT_EQ(format_of(work::Gemm{}), "bf16");
  EXPECT_EQ(format_of(work::Gemm{.weights = work::DType::int4}), "bf16/int4");
  EXPECT_EQ(format_of(work::AttentionDecode{.kv_dtype = work::DType::fp8}), "bf16/fp8");
  EXPECT_EQ(format_of(work::Sampling{}), "fp32");
}

TEST(Residuals, AWrittenFileIsReadBackToTheSameText) {
  const std::string text = render_residuals(table());
  spec::Decoding decoding;
  const ResidualTable again = decode(text, decoding);
  decoding.diagnostics.throw_if_any();
  EXPECT_EQ(render_residuals(again), text);
  ASSERT_EQ(again.curves.size(), 3u);
  EXPECT_EQ(again.curves[1].formats, table().curves[1].formats);
  EXPECT_DOUBLE_EQ(again.curves[0].points[1].high, 0.15);
  EXPECT_EQ(again.network.source, "published times, \"all\" of them");
  EXPECT_DOUBLE_EQ(again.step(Step::chip, "gemm"), 0.12);
  EXPECT_DOUBLE_EQ(again.step(Step::chip, "rmsnorm"), 0.1);
}

TEST(Residuals, MistakesOfTheFileAreNamedWithTheirPlace) {
  EXPECT_THAT(mistake("10 us -0.3 0.4", "10 us -0.3"),
              AllOf(HasSubstr("residuals.yaml:14:"), HasSubstr("curves.gemm.b")));
  EXPECT_THAT(mistake("10 us -0.3 0.4", "10us"), HasSubstr("'10us' is no point of a curve"));
  EXPECT_THAT(mistake("10 us -0.3 0.4", "10 -0.3 0.4"), HasSubstr("time (such as 3 us)"));
  EXPECT_THAT(mistake("10 us -0.1 0.05, 100 us -0.2 0.15", "100 us -0.1 0.05, 10 us -0.2 0.15"),
              HasSubstr("times go up"));
  EXPECT_THAT(mistake("-0.3 0.4", "-0.3 -0.4"), HasSubstr("an upper end is at least 0"));
  EXPECT_THAT(mistake("-0.3 0.4", "0.3 0.4"), HasSubstr("a lower end is at most 0"));
  EXPECT_THAT(mistake("family: {usual: 0.3}, ", ""), HasSubstr("key 'family' is missing"));
  EXPECT_THAT(mistake("within_kind: 0.3", "within_kind: 1.3"), HasSubstr("at most 1"));
  EXPECT_THAT(mistake("across_kinds: 0.1", "across_kinds: 0.4"), HasSubstr("less in common"));
  EXPECT_THAT(mistake("rows: 100", "row: 100"), HasSubstr("did you mean 'rows'?"));
  EXPECT_THAT(mistake("1 us to 1 ms", "1 us to 1 ns"), HasSubstr("shorter than the shortest"));
  EXPECT_THAT(mistake("1 us to 1 ms", "1 us - 1 ms"), HasSubstr("is no range of times"));
  EXPECT_THAT(mistake("of: [x bf16, x fp8, y bf16]", "of: [bf16]"), HasSubstr("'bf16' is no runtime and format"));
  EXPECT_THAT(mistake("of: [x bf16, x fp8, y bf16]", "of: []"), HasSubstr("nothing that the curve is of"));
  EXPECT_THAT(mistake("ends: [10 us -0.3 0.4]", "ends: []"), HasSubstr("there is no point"));
  EXPECT_THAT(mistake("b: g}", "c: g}"), HasSubstr("key 'b' is missing"));
}

TEST(Residuals, OperatorsThatNobodyKnowsAreRefused) {
  EXPECT_THAT(mistake("rmsnorm:", "rmsnrom:"), HasSubstr("no operator is called 'rmsnrom'; did you mean 'rmsnorm'?"));
  EXPECT_THAT(mistake("gemm: 0.12", "gem: 0.12"), HasSubstr("no operator is called 'gem'"));
}

TEST(Residuals, TwoCurvesOfTheSameAreRefused) {
  EXPECT_THAT(mistake("[x bf16, x fp8, y bf16]", "[x bf16, x bf16]"), HasSubstr("'x bf16' has two curves"));
  const std::string curve = "      - {of: [x bf16], rows: 50, times: 1 us to 1 ms, ends: [10 us 0 0.3]}\n";
  EXPECT_THAT(mistake(curve, curve + curve), HasSubstr("'x bf16' has two curves"));
}

TEST(Residuals, PointsAreInsideOfTheMeasuredTimes) {
  EXPECT_THAT(mistake("10 us 0 0.3", "10 ms 0 0.3"), HasSubstr("outside of the curve's 'times'"));
  EXPECT_THAT(mistake("10 us 0 0.3", "10 ns 0 0.3"), HasSubstr("outside of the curve's 'times'"));
}

TEST(Residuals, RatiosThatNoTimesHaveAreRefused) {
  EXPECT_THAT(mistake("-0.3 0.4", "-0.3 1e300"), HasSubstr("no logarithm of a ratio"));
  EXPECT_THAT(mistake("-0.3 0.4", "-1e300 0.4"), HasSubstr("no logarithm of a ratio"));
  EXPECT_THAT(mistake("size: {usual: 0.1}", "size: {usual: 1e300}"), HasSubstr("no logarithm of a ratio"));
  EXPECT_THAT(mistake("value: 0.2,", "value: 1e300,"), HasSubstr("no logarithm of a ratio"));
}

TEST(Residuals, EveryOperatorCanHaveACurve) {
  const std::vector<work::Operator> ops{work::MoeGemm{},
                                        work::AttentionPrefill{},
                                        work::AttentionDecode{},
                                        work::MlaPrefill{},
                                        work::MlaDecode{},
                                        work::Embedding{},
                                        work::Sampling{},
                                        work::Elementwise{.kind = work::ElementwiseKind::copy},
                                        work::Elementwise{.kind = work::ElementwiseKind::delta_rule},
                                        work::Collective{.kind = work::CollectiveKind::all_reduce},
                                        work::Collective{.kind = work::CollectiveKind::p2p}};
  for (const work::Operator& op : ops)
    EXPECT_EQ(mistake("rmsnorm:", std::string(work::name_of(op)) + ":"), "none") << work::name_of(op);
}

TEST(Residuals, AFileWithoutCurvesIsAMistake) {
  spec::Decoding decoding;
  decode(std::string(kHead) + "chips: {}\ncurves: {}\n", decoding);
  ASSERT_FALSE(decoding.diagnostics.empty());
  EXPECT_THAT(decoding.diagnostics.list().front().message, HasSubstr("there is no curve"));
}

TEST(Residuals, ALibraryWithoutTheFileSaysSo) {
  const spec::Library nothing({"/nowhere"});
  try {
    read_residuals(nothing);
    FAIL() << "nothing was said";
  } catch (const spec::InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("there is no hw_specs/residuals.yaml"));
  }
}

TEST(Residuals, TheBuiltInFileHasAnIntervalForEveryKindOfOperator) {
  const Residuals residuals = read_residuals(spec::Library({support::source_dir().string()}));
  for (const char* op : {"gemm", "moe_gemm", "attention_prefill", "attention_decode", "mla_prefill", "mla_decode",
                         "rmsnorm", "sampling", "all_reduce", "p2p"}) {
    const Quantiles q = residuals.of(
        {.chip = "none", .family = "none", .runtime = "none", .op = op, .format = "bf16", .time = Seconds(1e-4)});
    EXPECT_LT(q.lower(), 0) << op;
    EXPECT_GT(q.upper(), 0) << op;
  }
}

}  // namespace
}  // namespace mlosim::predict
