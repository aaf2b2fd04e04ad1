#include "models/explore/contradiction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace mlosim::explore {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

struct Bounds {
  double low = -kUnbounded, high = kUnbounded;
  bool excludes_low = false, excludes_high = false;
  std::string low_text, high_text;  // of the constraints that say so

  bool are_empty() const { return low > high || (low == high && (excludes_low || excludes_high)); }
};

// What a slot can be at all: the values of an axis; metrics are no less than zero.
Bounds possible(const Blueprint& b, std::size_t slot) {
  Bounds bounds;
  if (slot >= b.slots.own_metrics()) {
    bounds.low = 0;
    bounds.low_text = "no figure is below zero";
    return bounds;
  }
  for (std::size_t a = 0; a < b.study.axes.size(); ++a) {
    const Axis& axis = b.study.axes[a];
    const std::size_t first = b.slots.axis[a];
    if (slot < first || slot >= first + axis.columns()) continue;
    bounds.low_text = bounds.high_text = fmt::format("the values of {}", axis.name);
    if (axis.continuum) {
      bounds.low = axis.continuum->low;
      bounds.high = axis.continuum->high;
      return bounds;
    }
    bounds.low = kUnbounded;
    bounds.high = -kUnbounded;
    for (const Choice& choice : axis.choices) {
      bounds.low = std::min(bounds.low, choice.numbers[slot - first]);
      bounds.high = std::max(bounds.high, choice.numbers[slot - first]);
    }
  }
  return bounds;
}

}  // namespace

void find_contradictions(const Blueprint& b, spec::Diagnostics& diagnostics) {
  std::map<std::size_t, Bounds> by_slot;
  for (const BoundConstraint& constraint : b.constraints) {
    const auto refuse = [&](const std::string& message) {
      diagnostics.add({constraint.place, "constraints", message, ""});
    };
    const Comparison& c = constraint.comparison;
    const bool left_is_constant = c.left.slots().empty(), right_is_constant = c.right.slots().empty();
    if (left_is_constant && right_is_constant) {
      if (!c.holds({})) refuse(fmt::format("\"{}\" never holds", constraint.text));
      continue;
    }
    if (!left_is_constant && !right_is_constant) continue;
    const auto slot = (left_is_constant ? c.right : c.left).lone_slot();
    if (!slot) continue;
    const double bound = (left_is_constant ? c.left : c.right).evaluate({});
    if (!std::isfinite(bound)) {
      refuse(fmt::format("\"{}\" never holds", constraint.text));
      continue;
    }
    Bounds& bounds = by_slot.try_emplace(*slot, possible(b, *slot)).first->second;
    const bool is_least = c.relation == Relation::at_least || c.relation == Relation::above;
    const bool is_upper = c.relation == Relation::equal || is_least == left_is_constant;
    const bool is_lower = c.relation == Relation::equal || is_least != left_is_constant;
    const bool is_strict = c.relation == Relation::below || c.relation == Relation::above;
    if (is_upper && (bound < bounds.high || (is_strict && bound == bounds.high))) {
      bounds.high = bound;
      bounds.excludes_high = is_strict;
      bounds.high_text = constraint.text;
    }
    if (is_lower && (bound > bounds.low || (is_strict && bound == bounds.low))) {
      bounds.low = bound;
      bounds.excludes_low = is_strict;
      bounds.low_text = constraint.text;
    }
    if (bounds.are_empty()) refuse(fmt::format("contradicting: \"{}\" and \"{}\"", bounds.low_text, bounds.high_text));
  }
}

}  // namespace mlosim::explore
