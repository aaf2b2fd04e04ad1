#include "validate/compare/disagreement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <vector>

namespace mlosim::compare {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ScoredRow row(double measured, double event, std::optional<double> analytic) {
  ScoredRow r;
  r.measured = measured;
  r.predicted = event;
  r.analytic = analytic;
  return r;
}

TEST(Disagreement, IsInTheLogarithmAndBesideTheErrorsOfBoth) {
  const std::vector<ScoredRow> rows{row(1, 1.1, 1.0), row(1, 0.9, 1.8), row(1, 1, 1), row(1, 5, std::nullopt)};
  const Disagreement d = disagreement_of({&rows[0], &rows[1], &rows[2], &rows[3]});
  EXPECT_EQ(d.rows, 3u);
  EXPECT_NEAR(d.event_mape, 0.2 / 3, 1e-12);
  EXPECT_NEAR(d.event_bias, 0, 1e-12);
  EXPECT_NEAR(d.analytic_mape, 0.8 / 3, 1e-12);
  EXPECT_NEAR(d.analytic_bias, 0.8 / 3, 1e-12);
  EXPECT_NEAR(d.median, std::log(1.1), 1e-12);
  EXPECT_NEAR(d.p90, 0.2 * std::log(1.1) + 0.8 * std::log(2), 1e-12);
  EXPECT_NEAR(d.bias, (std::log(1.1) - std::log(2)) / 3, 1e-12);
}

TEST(Disagreement, OfNoRowsIsNothing) {
  const ScoredRow alone = row(1, 2, std::nullopt);
  EXPECT_EQ(disagreement_of({&alone}).rows, 0u);
  EXPECT_THAT(most_apart({alone}, 5), IsEmpty());
}

TEST(Disagreement, RowsAreListedByTheirDistanceEitherWay) {
  const std::vector<ScoredRow> rows{row(1, 1.1, 1.0), row(1, 1, std::nullopt), row(1, 0.5, 1), row(1, 1.9, 1)};
  EXPECT_THAT(most_apart(rows, 2), ElementsAre(2u, 3u));
  EXPECT_THAT(most_apart(rows, 9), ElementsAre(2u, 3u, 0u));
}

}  // namespace
}  // namespace mlosim::compare
