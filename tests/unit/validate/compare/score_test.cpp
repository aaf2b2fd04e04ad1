#include "validate/compare/score.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "validate/compare/score_json.hpp"

namespace mlosim::compare {
namespace {

ScoredRow row(double measured, double predicted) {
  return {.measured = measured, .predicted = predicted, .interval = Range{predicted * 0.9, predicted * 1.1}};
}

std::vector<const ScoredRow*> pointers(const std::vector<ScoredRow>& rows) {
  std::vector<const ScoredRow*> list;
  for (const ScoredRow& r : rows) list.push_back(&r);
  return list;
}

TEST(Score, ErrorsAreRelativeToTheMeasurementAndBiasIsSigned) {
  const std::vector<ScoredRow> rows{row(1, 1.2), row(2, 1.8), row(4, 4)};
  const Score s = score(pointers(rows), {});
  EXPECT_EQ(s.rows, 3u);
  EXPECT_NEAR(s.mape, (0.2 + 0.1 + 0) / 3, 1e-12);
  EXPECT_NEAR(s.median_ape, 0.1, 1e-12);
  EXPECT_NEAR(s.p90_ape, 0.18, 1e-12);
  EXPECT_NEAR(s.bias, (0.2 - 0.1) / 3, 1e-12);
}

TEST(Score, CoverageIsTheShareOfRowsInsideTheirInterval) {
  const std::vector<ScoredRow> rows{row(1, 1.05), row(1, 1.5), row(1, 0.95), row(1, 0.5)};
  EXPECT_DOUBLE_EQ(score(pointers(rows), {}).interval_coverage, 0.5);
}

TEST(Score, APercentileBetweenTwoRowsIsInterpolated) {
  const std::vector<ScoredRow> two{row(1, 1.3), row(1, 1.1)};
  EXPECT_NEAR(score(pointers(two), {}).median_ape, 0.2, 1e-12);
  EXPECT_NEAR(score(pointers(two), {}).p90_ape, 0.28, 1e-12);
  const std::vector<ScoredRow> four{row(1, 1.4), row(1, 1.1), row(1, 0.8), row(1, 1.3)};
  EXPECT_NEAR(score(pointers(four), {}).median_ape, 0.25, 1e-12);
  EXPECT_NEAR(score(pointers(four), {}).p90_ape, 0.37, 1e-12);
  const std::vector<ScoredRow> one{row(1, 1.4)};
  EXPECT_NEAR(score(pointers(one), {}).p90_ape, 0.4, 1e-12);
}

TEST(Score, ARowWithoutAnIntervalIsNeitherInsideNorOutside) {
  std::vector<ScoredRow> rows{row(1, 1.05), row(1, 1.5), row(1, 7), row(1, 8)};
  rows[2].interval = rows[3].interval = std::nullopt;
  const Score s = score(pointers(rows), {});
  EXPECT_EQ(s.interval_rows, 2u);
  EXPECT_DOUBLE_EQ(s.interval_coverage, 0.5);
}

TEST(Score, ARowWithoutDataSheetTimesHasNoBaseline) {
  std::vector<ScoredRow> rows{row(1, 1.05), row(2, 2)};
  rows[0].datasheet = DatasheetTimes{.roofline = 0.5, .compute = 0.5, .memory = 0.1};
  const Score s = score(pointers(rows), {});
  EXPECT_EQ(s.baseline_rows, 1u);
  EXPECT_DOUBLE_EQ(s.roofline_mape, 0.5);
  EXPECT_NEAR(s.three_constants_mape, 0, 0.001);
}

TEST(Score, NoRowsScoreNothing) {
  const Score s = score({}, {});
  EXPECT_EQ(s.rows, 0u);
  EXPECT_EQ(s.interval_rows, 0u);
  EXPECT_EQ(s.baseline_rows, 0u);
}

TEST(Score, AsJsonHasNullForWhatNoRowSays) {
  const nlohmann::ordered_json nothing = score_json({});
  for (const char* field : {"mape", "median_ape", "p90_ape", "bias", "interval_coverage"})
    EXPECT_TRUE(nothing.at(field).is_null()) << field;
  EXPECT_EQ(nothing.at("rows"), 0);
  EXPECT_TRUE(nothing.at("baseline_mape").at("roofline").is_null());
  const nlohmann::ordered_json some = score_json({.rows = 2, .mape = 0.1, .interval_rows = 1, .interval_coverage = 1});
  EXPECT_EQ(some.at("mape"), 0.1);
  EXPECT_EQ(some.at("interval_coverage"), 1);
  EXPECT_TRUE(some.at("baseline_mape").at("three_constants").is_null());
}

}  // namespace
}  // namespace mlosim::compare
