// Promises of what residuals.yaml is measured by, on made-up residuals; and of the intervals on the shared
// measurements, where they are at hand.
#include "validate/compare/residuals.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "sim/spec/document.hpp"
#include "tests/support/source_tree.hpp"
#include "validate/compare/interval_check.hpp"
#include "validate/compare/residual_report.hpp"

namespace mlosim::compare {
namespace {

using predict::Step;

// Residuals of made-up chips: normal ones around an offset, at times between 1 us and 1 ms.
class Rows {
 public:
  struct Cell {
    std::string chip = "a", family = "f", runtime = "x", op = "gemm", format = "bf16";
    double offset = 0, spread = 0.1;
  };

  Residual one(const Cell& cell) {
    const double log_ratio = cell.offset + cell.spread * normal();
    const double time = 1e-6 * std::pow(1000, uniform());
    return {.key = {.chip = cell.chip,
                    .family = cell.family,
                    .runtime = cell.runtime,
                    .op = cell.op,
                    .format = cell.format,
                    .time = Seconds(time)},
            .log_ratio = log_ratio,
            .in_first_fold = uniform() < 0.5};
  }
  void add(std::size_t count, const Cell& cell) {
    for (std::size_t i = 0; i < count; ++i) rows.own.push_back(one(cell));
  }
  void borrow(std::size_t count, const Cell& cell, const std::string& lender, const std::string& family) {
    for (std::size_t i = 0; i < count; ++i) rows.borrowed.push_back({one(cell), lender, family});
  }

  ResidualRows rows;

 private:
  // std's distributions differ between libraries; these do not.
  double uniform() { return static_cast<double>(engine_()) / static_cast<double>(std::mt19937::max()); }
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum;
  }

  std::mt19937 engine_{7};
};

constexpr double kTailOfNormal = 1.2816;  // 90th percentile in standard deviations

TEST(Band, IsFromTheTenthToTheNinetiethPercentile) {
  std::vector<double> x;
  for (int i = -49; i <= 49; ++i) x.push_back(i);
  const auto [low, high] = band_of(x);
  EXPECT_DOUBLE_EQ(low, -40);
  EXPECT_DOUBLE_EQ(high, 40);
}

TEST(Band, HoldsThePredictionAndStillFourFifthsOfTheRows) {
  std::vector<double> x;
  for (int i = 1; i <= 99; ++i) x.push_back(i);
  EXPECT_EQ(band_of(x), std::pair(0.0, 80.0));
  for (double& value : x) value = -value;
  EXPECT_EQ(band_of(x), std::pair(-80.0, 0.0));
}

TEST(Band, NoRowsHaveNoBand) { EXPECT_EQ(band_of({}), std::pair(0.0, 0.0)); }

TEST(Curves, ACellWithRowsEnoughHasItsOwnQuantiles) {
  Rows made;
  made.add(2000, {.spread = 0.1});
  const auto curves = make_curves(made.rows.own);
  ASSERT_EQ(curves.size(), 1u);
  EXPECT_EQ(curves[0].rows, 2000u);
  EXPECT_EQ(curves[0].points.size(), 6u);
  for (const auto& point : curves[0].points) {
    EXPECT_NEAR(point.low, -0.1 * kTailOfNormal, 0.03);
    EXPECT_NEAR(point.high, 0.1 * kTailOfNormal, 0.03);
  }
}

// The curve of rows that are as predicted at 100 us and of longer ones at 10 ms that are not.
predict::ResidualCurve curve_of(std::size_t short_rows, std::size_t long_rows) {
  Rows made;
  made.add(short_rows, {.spread = 0.05});
  made.add(long_rows, {.offset = 0.5, .spread = 0.05});
  for (std::size_t i = 0; i < made.rows.own.size(); ++i)
    made.rows.own[i].key.time = Seconds(i < short_rows ? 1e-4 : 1e-2);
  return make_curves(made.rows.own).at(0);
}

TEST(Curves, RowsOfEqualTimesLeaveNoneOfTheLongerOnesOut) {
  const predict::ResidualCurve curve = curve_of(80, 19);
  ASSERT_EQ(curve.points.size(), 1u);
  EXPECT_GT(curve.points[0].high, 0.4);
}

TEST(Curves, LongerRowsWithAPointsWorthOfThemHaveTheirOwn) {
  const predict::ResidualCurve curve = curve_of(60, 60);
  ASSERT_EQ(curve.points.size(), 2u);
  EXPECT_GT(curve.points[1].time.si(), 5e-3);
  EXPECT_GT(curve.points[1].high, 0.4);
}

TEST(Curves, AllRowsOfOneTimeAreOnePoint) {
  Rows made;
  made.add(300, {.spread = 0.1});
  for (Residual& row : made.rows.own) row.key.time = Seconds(1e-4);
  const auto curves = make_curves(made.rows.own);
  ASSERT_EQ(curves.at(0).points.size(), 1u);
  EXPECT_NEAR(curves[0].points[0].high, 0.1 * kTailOfNormal, 0.03);
}

TEST(Curves, EveryPointHasRowsOfItsOwnWhateverTheTiesAreAtTheEnd) {
  Rows made;
  made.add(130, {.offset = 0.5, .spread = 0.05});
  for (std::size_t i = 0; i < 130; ++i)
    made.rows.own[i].key.time = Seconds(i < 45 ? 1e-6 * static_cast<double>(i + 1) : 1e-4);
  made.rows.own.back().key.time = Seconds(1);
  const auto points = make_curves(made.rows.own).at(0).points;
  ASSERT_EQ(points.size(), 2u);
  EXPECT_DOUBLE_EQ(points.back().time.si(), 1e-4);
}

TEST(Curves, FormatsWithFewRowsArePutTogether) {
  Rows made;
  made.add(100, {.format = "bf16"});
  made.add(15, {.format = "fp8"});
  made.add(15, {.format = "int8"});
  const auto curves = make_curves(made.rows.own);
  ASSERT_EQ(curves.size(), 2u);
  EXPECT_TRUE(std::any_of(curves.begin(), curves.end(), [](const predict::ResidualCurve& curve) {
    return curve.has("x", "fp8") && curve.has("x", "int8") && curve.rows == 30;
  }));
}

TEST(Curves, RuntimesWithFewRowsArePutTogether) {
  Rows made;
  made.add(15, {.runtime = "x"});
  made.add(15, {.runtime = "y"});
  const auto curves = make_curves(made.rows.own);
  ASSERT_EQ(curves.size(), 1u);
  EXPECT_TRUE(curves[0].has("x", "bf16") && curves[0].has("y", "bf16"));
}

TEST(Curves, FewRowsLeanOnTheOperatorAsAWhole) {
  Rows made;
  made.add(1000, {.chip = "a", .spread = 0.2});
  made.add(10, {.chip = "b", .spread = 0});
  for (const auto& curve : make_curves(made.rows.own)) {
    if (curve.chip == "b") {
      EXPECT_GT(curve.points.front().high, 0.05);
      EXPECT_LT(curve.points.front().high, 0.15);
    }
  }
}

TEST(Distances, AnotherFamilyIsAsFarAsBorrowedParametersAreOff) {
  Rows made;
  made.add(500, {.chip = "a", .family = "f", .spread = 0.02});
  made.add(500, {.chip = "b", .family = "g", .spread = 0.02});
  made.borrow(500, {.chip = "a", .family = "f", .spread = 0.3}, "b", "g");
  made.borrow(500, {.chip = "b", .family = "g", .spread = 0.3}, "a", "f");
  const predict::ResidualTable table = measure_residuals(made.rows);
  EXPECT_NEAR(table.step(Step::family, "gemm"), 0.3 * kTailOfNormal, 0.03);
  EXPECT_EQ(table.step(Step::chip, "gemm"), table.step(Step::family, "rope")) << "no siblings, no better knowledge";
}

TEST(Distances, AnotherChipOfTheFamilyIsBetweenWhatFewSiblingsTellAndAnotherFamily) {
  Rows made;
  for (const char* chip : {"a", "b"}) made.add(500, {.chip = chip, .family = "f", .spread = 0.02});
  made.add(500, {.chip = "c", .family = "g", .spread = 0.02});
  made.borrow(500, {.chip = "a", .family = "f", .spread = 0.1}, "b", "f");
  made.borrow(500, {.chip = "b", .family = "f", .spread = 0.1}, "a", "f");
  made.borrow(500, {.chip = "c", .family = "g", .spread = 0.4}, "a", "f");
  const predict::ResidualTable table = measure_residuals(made.rows);
  const double siblings = 0.1 * kTailOfNormal, family = 0.4 * kTailOfNormal;
  EXPECT_NEAR(table.step(Step::chip, "rope"), (siblings + family) / 2, 0.03);  // two chips, leaning on two
}

TEST(Distances, AnotherRuntimeIsAsFarAsTheirResidualsAreApart) {
  Rows made;
  made.add(400, {.runtime = "x", .offset = -0.2, .spread = 0.02});
  made.add(400, {.runtime = "y", .offset = 0.2, .spread = 0.02});
  EXPECT_NEAR(measure_residuals(made.rows).step(Step::runtime, "gemm"), 0.2, 0.05);
}

TEST(Distances, WhatIsCoveredAlreadyIsNotFar) {
  Rows made;
  made.add(400, {.format = "bf16", .spread = 0.2});
  made.add(400, {.format = "fp8", .spread = 0.1});
  EXPECT_LT(measure_residuals(made.rows).step(Step::format, "gemm"), 0.12);
}

TEST(Distances, AnotherKindHoldsNoOtherFamilyWhichTheLookUpAdds) {
  Rows made;
  made.add(400, {.chip = "a", .op = "gemm", .spread = 0.1});
  made.add(400, {.chip = "a", .op = "rmsnorm", .spread = 0.1});
  made.borrow(400, {.chip = "a", .op = "gemm", .spread = 0.5}, "a", "g");
  const predict::ResidualTable table = measure_residuals(made.rows);
  EXPECT_GT(table.step(Step::family, "gemm"), 0.4);
  EXPECT_LT(table.step(Step::kind, "rope"), 0.1);
}

TEST(Correlations, SharedOffsetsAreWithinTheKindAndNotAcross) {
  Rows made;
  int sign = 1;
  for (const char* chip : {"a", "b", "c", "d"}) {
    made.add(200, {.chip = chip, .op = "gemm", .offset = 0.1 * sign, .spread = 0.1});
    made.add(200, {.chip = chip, .op = "rmsnorm", .offset = 0.1 * (chip[0] < 'c' ? 1 : -1), .spread = 0.1});
    sign = -sign;
  }
  const predict::ResidualTable table = measure_residuals(made.rows);
  EXPECT_NEAR(table.within_kind, 0.5, 0.05);
  EXPECT_NEAR(table.across_kinds, 0, 0.05);
}

TEST(Correlations, AreNoneBetweenIndependentRows) {
  Rows made;
  made.add(1000, {.spread = 0.1});
  EXPECT_NEAR(measure_residuals(made.rows).within_kind, 0, 0.01);
}

TEST(MeasuredResiduals, TheOrderOfRowsChangesNothing) {
  Rows made;
  made.add(300, {.chip = "a"});
  made.add(300, {.chip = "b", .family = "g", .spread = 0.2});
  made.borrow(100, {.chip = "a", .spread = 0.3}, "b", "g");
  const std::string text = predict::render_residuals(measure_residuals(made.rows));
  EXPECT_EQ(predict::render_residuals(measure_residuals(made.rows)), text);
  std::reverse(made.rows.own.begin(), made.rows.own.end());
  std::reverse(made.rows.borrowed.begin(), made.rows.borrowed.end());
  EXPECT_EQ(predict::render_residuals(measure_residuals(made.rows)), text);
}

TEST(MeasuredResiduals, TheirFileIsReadBack) {
  Rows made;
  made.add(300, {.chip = "a"});
  made.add(300, {.chip = "b", .family = "g", .spread = 0.2});
  predict::ResidualTable table = measure_residuals(made.rows);
  table.source = "made up";
  table.host = table.network = {.value = 0.2, .kind = "assumed", .source = "a guess"};
  const std::string text = predict::render_residuals(table);
  const spec::Value document = spec::parse_document(text, "residuals.yaml");
  spec::Decoding decoding;
  const predict::ResidualTable again = predict::decode_residuals(spec::Node(&document, "residuals", &decoding));
  EXPECT_TRUE(decoding.diagnostics.empty());
  EXPECT_EQ(predict::render_residuals(again), text);
}

TEST(IntervalCheck, RowsOfTheOtherFoldAreCoveredAsPromised) {
  Rows made;
  made.add(2000, {.chip = "a", .spread = 0.1});
  made.add(2000, {.chip = "b", .offset = 0.05, .spread = 0.3});
  const std::vector<IntervalCheck> checks = check_intervals(made.rows);
  EXPECT_EQ(checks.at(0).all.rows, 4000u);
  EXPECT_NEAR(checks.at(0).all.share(), 0.8, 0.03);
}

TEST(IntervalCheck, TheReportSaysThatItsCoverageIsOutOfFold) {
  Rows made;
  made.add(200, {.chip = "a", .spread = 0.1});
  const std::string report = render_checks({check_folds(made.rows)});
  EXPECT_NE(report.find("Out-of-fold coverage of 80 % intervals"), std::string::npos);
  EXPECT_NE(report.find("shapes of the other fold"), std::string::npos);
}

TEST(IntervalCheck, SuitesWithoutRowsHaveNoCoverage) {
  EXPECT_THROW(out_of_fold_coverage(spec::Library({support::source_dir().string()}), {}), spec::InputError);
}

TEST(IntervalCheck, ALeftOutFamilyIsHeldAgainstWhatTheOthersTeach) {
  Rows made;
  const std::vector<std::string> chips{"a", "b", "c", "d", "e"};
  for (const std::string& chip : chips) made.add(300, {.chip = chip, .family = "f" + chip, .spread = 0.05});
  for (const std::string& chip : chips) {
    for (const std::string& lender : chips) {
      if (lender != chip) made.borrow(100, {.chip = chip, .family = "f" + chip, .spread = 0.3}, lender, "f" + lender);
    }
  }
  const IntervalCheck check = check_intervals(made.rows).at(2);
  EXPECT_EQ(check.all.rows, 2000u);
  EXPECT_NEAR(check.all.share(), 0.8, 0.03);
}

TEST(IntervalCheck, IntervalsHoldWhatTheyPromiseOnTheSharedMeasurements) {
  const std::filesystem::path folder = support::source_dir() / "../shared/data/kernels";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the shared measurements are not here: " << folder;
  const spec::Library library({support::source_dir().string()});
  const suite::ProtocolBook protocols(library);
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  std::vector<suite::Table> tables;
  for (const std::string& file : files) tables.push_back(suite::read_table(library, protocols, file, {}));
  const Machines machines(library, tables);
  const std::vector<IntervalCheck> checks = check_intervals(collect_residuals(tables, machines));
  EXPECT_NEAR(checks.at(0).all.share(), 0.8, 0.05) << render_checks(checks);
  for (const auto& [chip, coverage] : checks.at(0).by_chip) EXPECT_NEAR(coverage.share(), 0.8, 0.12) << chip;
  EXPECT_NEAR(checks.at(1).all.share(), 0.8, 0.08) << render_checks(checks);
  EXPECT_NEAR(checks.at(2).all.share(), 0.8, 0.05) << render_checks(checks);
}

}  // namespace
}  // namespace mlosim::compare
