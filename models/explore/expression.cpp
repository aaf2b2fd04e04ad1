#include "models/explore/expression.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "sim/units/check.hpp"

namespace mlosim::explore {
namespace {

double to_multiple(double x, double step, std::size_t mode) {
  // What is a multiple but for its last bits is one.
  constexpr double kSlack = 1e-9;
  const double steps = x / step;
  switch (mode) {
    case 0:
      return std::round(steps) * step;
    case 1:
      return std::floor(steps + kSlack) * step;
    default:
      return std::ceil(steps - kSlack) * step;
  }
}

}  // namespace

double Expression::evaluate(std::span<const double> slots) const {
  std::array<double, 32> stack{};  // deeper nesting is refused where it is parsed
  std::size_t top = 0;
  for (const Step& step : steps_) {
    switch (step.code) {
      case Code::constant:
        stack[top++] = step.number;
        break;
      case Code::slot:
        stack[top++] = slots[step.slot];
        break;
      case Code::negate:
        stack[top - 1] = -stack[top - 1];
        break;
      case Code::power:
        stack[top - 1] = step.number < 0 && stack[top - 1] == 0 ? std::numeric_limits<double>::quiet_NaN()
                                                                : std::pow(stack[top - 1], step.number);
        break;
      case Code::root:
        stack[top - 1] = std::sqrt(stack[top - 1]);
        break;
      default: {
        const double b = stack[--top];
        double& a = stack[top - 1];
        switch (step.code) {
          case Code::add:
            a += b;
            break;
          case Code::subtract:
            a -= b;
            break;
          case Code::multiply:
            a *= b;
            break;
          case Code::divide:
            a = b == 0 ? std::numeric_limits<double>::quiet_NaN() : a / b;
            break;
          case Code::minimum:
            a = std::isnan(a) || std::isnan(b) ? a + b : std::min(a, b);
            break;
          case Code::maximum:
            a = std::isnan(a) || std::isnan(b) ? a + b : std::max(a, b);
            break;
          default:
            a = to_multiple(a, b, step.slot);
        }
      }
    }
  }
  return stack[0];
}

std::vector<std::size_t> Expression::slots() const {
  std::vector<std::size_t> slots;
  for (const Step& step : steps_) {
    if (step.code == Code::slot && std::find(slots.begin(), slots.end(), step.slot) == slots.end())
      slots.push_back(step.slot);
  }
  return slots;
}

std::optional<std::size_t> Expression::lone_slot() const {
  if (steps_.size() != 1 || steps_.front().code != Code::slot) return std::nullopt;
  return steps_.front().slot;
}

bool Comparison::has_value(std::span<const double> slots) const {
  return std::isfinite(left.evaluate(slots)) && std::isfinite(right.evaluate(slots));
}

bool Comparison::holds(std::span<const double> slots) const {
  const double a = left.evaluate(slots), b = right.evaluate(slots);
  if (!std::isfinite(a) || !std::isfinite(b)) return false;
  constexpr double kSlack = 1e-12;  // of rounding where a value was derived to meet its bound
  const double slack = kSlack * std::max(std::abs(a), std::abs(b));
  switch (relation) {
    case Relation::at_most:
      return a <= b + slack;
    case Relation::below:
      return a < b - slack;
    case Relation::at_least:
      return a >= b - slack;
    case Relation::above:
      return a > b + slack;
    case Relation::equal:
      return std::abs(a - b) <= slack;
  }
  MLOSIM_CHECK(false);
}

}  // namespace mlosim::explore
