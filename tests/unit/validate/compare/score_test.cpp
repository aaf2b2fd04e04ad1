#include "validate/compare/score.hpp"

#include <gtest/gtest.h>

namespace mlosim::compare {
namespace {

ScoredRow row(double measured, double predicted) {
  return {.measured = measured, .predicted = predicted, .low = predicted * 0.9, .high = predicted * 1.1};
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
  EXPECT_NEAR(s.p90_ape, 0.2, 1e-12);
  EXPECT_NEAR(s.bias, (0.2 - 0.1) / 3, 1e-12);
}

TEST(Score, CoverageIsTheShareOfRowsInsideTheirInterval) {
  const std::vector<ScoredRow> rows{row(1, 1.05), row(1, 1.5), row(1, 0.95), row(1, 0.5)};
  EXPECT_DOUBLE_EQ(score(pointers(rows), {}).interval_coverage, 0.5);
}

TEST(Score, NoRowsScoreNothing) {
  const Score s = score({}, {});
  EXPECT_EQ(s.rows, 0u);
  EXPECT_EQ(s.mape, 0);
}

// Rows of a machine that is a three-constant roofline.
std::vector<ScoredRow> ideal_rows() {
  std::vector<ScoredRow> rows;
  for (int i = 1; i <= 40; ++i) {
    ScoredRow r;
    r.compute = i % 2 == 0 ? 1e-6 * i : 1e-7 * i;
    r.memory = i % 2 == 0 ? 1e-7 * i : 2e-6 * i;
    r.measured = r.predicted = 3e-6 + std::max(r.compute / 0.7, r.memory / 0.9);
    rows.push_back(r);
  }
  return rows;
}

TEST(ThreeConstants, AreRecoveredFromRowsThatTheyMade) {
  const std::vector<ScoredRow> rows = ideal_rows();
  const ThreeConstants c = fit_three_constants(pointers(rows));
  EXPECT_NEAR(c.fixed, 3e-6, 1e-8);
  EXPECT_NEAR(c.compute_efficiency, 0.7, 0.01);
  EXPECT_NEAR(c.memory_efficiency, 0.9, 0.01);
  EXPECT_LT(score(pointers(rows), {}).three_constants_mape, 0.005);
}

TEST(ThreeConstants, AreThoseOfTheRowsTheyAreFittedOn) {
  const std::vector<ScoredRow> rows = ideal_rows();
  std::vector<ScoredRow> slower = rows;
  for (ScoredRow& r : slower) r.measured *= 2;
  EXPECT_NEAR(score(pointers(slower), pointers(rows)).three_constants_mape, 0.5, 0.01);
}

}  // namespace
}  // namespace mlosim::compare
