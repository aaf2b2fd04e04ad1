#include "validate/calibrate/identify.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>

namespace mlosim::calibrate {
namespace {

constexpr double kMostError = 0.5;
constexpr double kMostCorrelation = 0.98;
constexpr double kMostInflation = 4;     // of the variance of a parameter at a bound, by what it trades against
constexpr double kAtBound = 0.002;       // of the distance between the bounds
constexpr double kNoEffect = 1e-4;       // root mean square change of ln(time) over the whole range
constexpr double kSmallestPivot = 1e-9;  // of the largest: combinations below it are not determined at all

struct Covariance {
  Eigen::VectorXd error;        // standard errors of positions
  Eigen::MatrixXd correlation;  // as the rows' gradients alone make it
  Eigen::VectorXd inflation;    // of the variances, against what they were if the other parameters were known
  Eigen::VectorXd influence;    // root mean square change of ln(time) a unit of position
};

// What the rows of one shape add to the loss's gradient and to its second derivative.
struct ShapeSum {
  Eigen::VectorXd gradient;
  Eigen::MatrixXd curvature;
};

Covariance covariance_of(const Jacobian& jacobian, const std::vector<double>& residuals,
                         const std::vector<std::size_t>& shapes, double loss_scale) {
  const auto columns = static_cast<Eigen::Index>(jacobian.empty() ? 0 : jacobian.front().size());
  Eigen::MatrixXd normal = Eigen::MatrixXd::Zero(columns, columns);
  double weights = 0;
  std::map<std::size_t, ShapeSum> sums;
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    const double r = residuals[i] / loss_scale;
    const double slope = residuals[i] / std::sqrt(1 + r * r);  // of the loss, and its derivative:
    const double weight = std::pow(1 + r * r, -1.5);
    const Eigen::Map<const Eigen::VectorXd> gradient(jacobian[i].data(), columns);
    const auto [sum, is_new] = sums.try_emplace(shapes[i]);
    if (is_new) sum->second = {Eigen::VectorXd::Zero(columns), Eigen::MatrixXd::Zero(columns, columns)};
    sum->second.gradient += slope * gradient;
    sum->second.curvature += weight * gradient * gradient.transpose();
    normal += weight * gradient * gradient.transpose();
    weights += weight;
  }
  // Columns scaled to length 1, so that the cut of small eigenvalues does not depend on units.
  const Eigen::VectorXd length = normal.diagonal().cwiseSqrt().cwiseMax(1e-12);
  const Eigen::VectorXd shrink = length.cwiseInverse();
  const Eigen::MatrixXd scaled = shrink.asDiagonal() * normal * shrink.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(scaled);
  const double least = eigen.eigenvalues().maxCoeff() * kSmallestPivot;
  const Eigen::VectorXd inverse = eigen.eigenvalues().cwiseMax(least).cwiseInverse();
  const Eigen::MatrixXd inverted = eigen.eigenvectors() * inverse.asDiagonal() * eigen.eigenvectors().transpose();
  Covariance c;
  const Eigen::VectorXd unit = inverted.diagonal().cwiseSqrt().cwiseInverse();
  c.correlation = unit.asDiagonal() * inverted * unit.asDiagonal();
  c.inflation = inverted.diagonal();
  c.influence = (normal.diagonal() / std::max(weights, 1e-12)).cwiseSqrt();
  // How far one Newton step leads without the shape's rows, shape by shape.
  Eigen::VectorXd squares = Eigen::VectorXd::Zero(columns);
  for (const auto& [shape, sum] : sums) {
    Eigen::MatrixXd rest = scaled - shrink.asDiagonal() * sum.curvature * shrink.asDiagonal();
    rest.diagonal().array() += least;
    const Eigen::VectorXd step = rest.ldlt().solve(Eigen::VectorXd(shrink.asDiagonal() * sum.gradient));
    squares += step.cwiseAbs2();
  }
  const double n = static_cast<double>(sums.size());
  c.error = shrink.asDiagonal() * (squares * ((n - 1) / n)).cwiseSqrt();
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
  std::vector<std::size_t> shapes;
  for (const std::size_t row : subset) shapes.push_back(objective.rows()[row].shape);
  const Covariance covariance =
      covariance_of(objective.jacobian(at, free, values, subset), objective.residuals(at, subset), shapes, loss_scale);
  for (std::size_t j = 0; j < free.size(); ++j) {
    const FreeParameter& p = objective.parameters()[free[j]];
    const auto column = static_cast<Eigen::Index>(j);
    Identification& answer = answers[j];
    const double range = p.highest_position() - p.lowest_position();
    answer.standard_error = relative_error(p, values[j], covariance.error(column));
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
      const double correlation = covariance.correlation(column, other);
      const double others = relative_error(objective.parameters()[free[k]], values[k], covariance.error(other));
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
