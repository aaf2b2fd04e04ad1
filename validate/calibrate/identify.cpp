#include "validate/calibrate/identify.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <set>

namespace mlosim::calibrate {
namespace {

constexpr double kMostError = 0.5;
constexpr double kMostCorrelation = 0.98;
constexpr double kMostInflation = 4;     // of the variance of a parameter at a bound, by what it trades against
constexpr double kAtBound = 0.002;       // of the distance between the bounds
constexpr double kNoEffect = 1e-4;       // root mean square change of ln(time) over the whole range
constexpr double kSmallestPivot = 1e-9;  // of the largest: combinations below it are not determined at all

struct Covariance {
  Eigen::MatrixXd matrix;     // of positions
  Eigen::VectorXd inflation;  // of the variances, against what they were if the other parameters were known
  Eigen::VectorXd influence;  // root mean square change of ln(time) a unit of position
};

Covariance covariance_of(const Jacobian& jacobian, const std::vector<double>& residuals, std::size_t shapes,
                         double loss_scale) {
  const auto rows = static_cast<Eigen::Index>(residuals.size());
  const auto columns = static_cast<Eigen::Index>(jacobian.empty() ? 0 : jacobian.front().size());
  Eigen::MatrixXd normal = Eigen::MatrixXd::Zero(columns, columns);
  double weights = 0, squares = 0;
  for (Eigen::Index i = 0; i < rows; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double r = residuals[at] / loss_scale;
    const double weight = 1 / std::sqrt(1 + r * r);
    const Eigen::Map<const Eigen::VectorXd> gradient(jacobian[at].data(), columns);
    normal += weight * gradient * gradient.transpose();
    weights += weight;
    squares += weight * residuals[at] * residuals[at];
  }
  const double n = static_cast<double>(shapes);
  const double freedom = std::max(1.0, n - static_cast<double>(columns));
  const double variance = squares / weights * n / freedom;
  // Columns scaled to length 1, so that the cut of small eigenvalues does not depend on units.
  const Eigen::VectorXd length = normal.diagonal().cwiseSqrt().cwiseMax(1e-12);
  const Eigen::MatrixXd scaled = length.cwiseInverse().asDiagonal() * normal * length.cwiseInverse().asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(scaled);
  const double least = eigen.eigenvalues().maxCoeff() * kSmallestPivot;
  const Eigen::VectorXd inverse = eigen.eigenvalues().cwiseMax(least).cwiseInverse();
  const Eigen::MatrixXd inverted = eigen.eigenvectors() * inverse.asDiagonal() * eigen.eigenvectors().transpose();
  Covariance c;
  c.matrix = variance * static_cast<double>(rows) / n * length.cwiseInverse().asDiagonal() * inverted *
             length.cwiseInverse().asDiagonal();
  c.inflation = inverted.diagonal();
  c.influence = (normal.diagonal() / std::max(weights, 1e-12)).cwiseSqrt();
  return c;
}

// The standard error of a position as a share of the value.
double relative_error(const FreeParameter& p, double value, double position_error) {
  if (p.rule.scale == Scale::logarithmic) return position_error;
  constexpr double kNearZero = 0.1;
  const double range = p.rule.high - p.rule.low;
  return position_error * range / std::max(std::abs(value), kNearZero * range);
}

bool is_at_bound(const FreeParameter& p, double value) {
  const double low = p.lowest_position(), high = p.highest_position(), at = p.position_of(value);
  const double near = kAtBound * (high - low);
  return at < low + near || at > high - near;
}

}  // namespace

std::vector<Identification> identify(const Objective& objective, const Setting& setting,
                                     const std::vector<std::size_t>& free, const std::vector<double>& values,
                                     const std::vector<std::size_t>& subset, double loss_scale) {
  std::vector<Identification> answers(free.size());
  if (free.empty() || subset.empty()) return answers;
  Setting at = setting;
  for (std::size_t j = 0; j < free.size(); ++j) at = objective.with(std::move(at), free[j], values[j]);
  std::set<std::size_t> shapes;
  for (const std::size_t row : subset) shapes.insert(objective.rows()[row].shape);
  const Covariance covariance = covariance_of(objective.jacobian(at, free, values, subset),
                                              objective.residuals(at, subset), shapes.size(), loss_scale);
  for (std::size_t j = 0; j < free.size(); ++j) {
    const FreeParameter& p = objective.parameters()[free[j]];
    const auto column = static_cast<Eigen::Index>(j);
    Identification& answer = answers[j];
    const double range = p.highest_position() - p.lowest_position();
    answer.standard_error = relative_error(p, values[j], std::sqrt(covariance.matrix(column, column)));
    if (covariance.influence(column) * range < kNoEffect) {
      answer.verdict = Verdict::no_effect;
      answer.reason = "no row depends on it";
      continue;
    }
    if (is_at_bound(p, values[j])) {
      // A parameter that slid along a flat valley until the bound stopped it says nothing about the bound.
      answer.verdict = covariance.inflation(column) > kMostInflation ? Verdict::correlated : Verdict::at_bound;
      answer.reason = fmt::format("the fit ran into its bound of {}", p.rounded_text(values[j]));
      continue;
    }
    // Of two that the rows cannot tell apart, the less certain one is given up.
    for (std::size_t k = 0; k < free.size(); ++k) {
      const auto other = static_cast<Eigen::Index>(k);
      if (k == j) continue;
      const double correlation = covariance.matrix(column, other) /
                                 std::sqrt(covariance.matrix(column, column) * covariance.matrix(other, other));
      const double others =
          relative_error(objective.parameters()[free[k]], values[k], std::sqrt(covariance.matrix(other, other)));
      if (std::abs(correlation) > kMostCorrelation &&
          (answer.standard_error > others || (answer.standard_error == others && j > k))) {
        answer.verdict = Verdict::correlated;
        answer.reason = fmt::format("the rows fix only its combination with {} (correlation {:.2f})",
                                    objective.parameters()[free[k]].path, correlation);
        break;
      }
    }
    if (answer.verdict == Verdict::identified && answer.standard_error > kMostError) {
      answer.verdict = Verdict::uncertain;
      answer.reason = fmt::format("its standard error is {:.0f} % of it", 100 * answer.standard_error);
    }
  }
  return answers;
}

}  // namespace mlosim::calibrate
