#include "validate/compare/three_constants.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace mlosim::compare {
namespace {

std::vector<const ScoredRow*> pointers(const std::vector<ScoredRow>& rows) {
  std::vector<const ScoredRow*> list;
  for (const ScoredRow& r : rows) list.push_back(&r);
  return list;
}

// Rows of a machine that is a three-constant roofline.
std::vector<ScoredRow> rows_of(const std::string& device, const ThreeConstants& constants) {
  std::vector<ScoredRow> rows;
  for (int i = 1; i <= 40; ++i) {
    DatasheetTimes times;
    times.compute = i % 2 == 0 ? 1e-6 * i : 1e-7 * i;
    times.memory = i % 2 == 0 ? 1e-7 * i : 2e-6 * i;
    ScoredRow r{.device = device, .op = "gemm", .dtype = "bf16", .datasheet = times};
    r.measured = r.predicted = constants.time(times);
    rows.push_back(r);
  }
  return rows;
}

constexpr ThreeConstants kFast{.fixed = 3e-6, .compute_efficiency = 0.7, .memory_efficiency = 0.9};
constexpr ThreeConstants kSlow{.fixed = 9e-6, .compute_efficiency = 0.2, .memory_efficiency = 0.3};

// The mean absolute error of a baseline on rows.
double error_on(const std::vector<ScoredRow>& rows, const ThreeConstantsByCell& baseline) {
  double sum = 0;
  for (const ScoredRow& row : rows) sum += std::abs(baseline.time(row) / row.measured - 1);
  return sum / static_cast<double>(rows.size());
}

TEST(ThreeConstants, AreRecoveredFromRowsThatTheyMade) {
  const std::vector<ScoredRow> rows = rows_of("a", kFast);
  const ThreeConstants c = fit_three_constants(pointers(rows));
  EXPECT_NEAR(c.fixed, kFast.fixed, 1e-8);
  EXPECT_NEAR(c.compute_efficiency, kFast.compute_efficiency, 0.01);
  EXPECT_NEAR(c.memory_efficiency, kFast.memory_efficiency, 0.01);
}

TEST(ThreeConstants, AreThoseOfTheRowsTheyAreFittedOn) {
  const std::vector<ScoredRow> rows = rows_of("a", kFast);
  std::vector<ScoredRow> slower = rows;
  for (ScoredRow& r : slower) r.measured *= 2;
  EXPECT_NEAR(error_on(slower, ThreeConstantsByCell(pointers(slower), pointers(rows))), 0.5, 0.01);
}

TEST(ThreeConstants, EveryDeviceOperatorAndFormatHasItsOwn) {
  std::vector<ScoredRow> rows = rows_of("a", kFast);
  for (const ScoredRow& row : rows_of("b", kSlow)) rows.push_back(row);
  EXPECT_LT(error_on(rows, ThreeConstantsByCell(pointers(rows), {})), 0.005);
  EXPECT_GT(error_on(rows, ThreeConstantsByCell(pointers(rows), {}, Cell::op_dtype)), 0.1);
}

TEST(ThreeConstants, OfOtherDevicesServeWhereThatIsAskedFor) {
  const std::vector<ScoredRow> known = rows_of("a", kFast), unknown = rows_of("b", kSlow);
  const ThreeConstants theirs = fit_three_constants(pointers(known));
  const ThreeConstantsByCell across(pointers(unknown), pointers(known), Cell::op_dtype);
  EXPECT_EQ(across.time(unknown.front()), theirs.time(*unknown.front().datasheet));
}

TEST(ThreeConstants, ACellThatNothingIsHeldOutOfIsFittedToItself) {
  const std::vector<ScoredRow> rows = rows_of("a", kFast), others = rows_of("b", kSlow);
  EXPECT_LT(error_on(rows, ThreeConstantsByCell(pointers(rows), pointers(others))), 0.005);
}

}  // namespace
}  // namespace mlosim::compare
