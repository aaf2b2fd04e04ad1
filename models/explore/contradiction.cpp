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
  std::string low_text, high_text;  // of the constraints that say so
};

// The slot that an expression is, where it is nothing else.
std::optional<std::size_t> lone_slot(const Expression& e) {
  const std::vector<std::size_t> slots = e.slots();
  if (slots.size() != 1) return std::nullopt;
  // Two trials tell a slot alone from an expression of it.
  std::vector<double> trial(slots.front() + 1, 0.0);
  for (const double x : {2.0, 5.0}) {
    trial[slots.front()] = x;
    if (e.evaluate(trial) != x) return std::nullopt;
  }
  return slots.front();
}

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
    spec::Place place;
    for (const ConstraintText& text : b.study.constraints) {
      if (text.text == constraint.text) place = text.place;
    }
    const auto refuse = [&](const std::string& message) { diagnostics.add({place, "constraints", message, ""}); };
    const Comparison& c = constraint.comparison;
    const bool left_is_constant = c.left.slots().empty(), right_is_constant = c.right.slots().empty();
    if (left_is_constant && right_is_constant) {
      if (!c.holds({})) refuse(fmt::format("\"{}\" never holds", constraint.text));
      continue;
    }
    if (!left_is_constant && !right_is_constant) continue;
    const auto slot = lone_slot(left_is_constant ? c.right : c.left);
    if (!slot) continue;
    const double bound = (left_is_constant ? c.left : c.right).evaluate({});
    Bounds& bounds = by_slot.try_emplace(*slot, possible(b, *slot)).first->second;
    const bool is_upper = c.relation == (left_is_constant ? Relation::at_least : Relation::at_most);
    if ((is_upper || c.relation == Relation::equal) && bound < bounds.high) {
      bounds.high = bound;
      bounds.high_text = constraint.text;
    }
    if ((!is_upper || c.relation == Relation::equal) && bound > bounds.low) {
      bounds.low = bound;
      bounds.low_text = constraint.text;
    }
    if (bounds.low > bounds.high)
      refuse(fmt::format("contradicting: \"{}\" and \"{}\"", bounds.low_text, bounds.high_text));
  }
}

}  // namespace mlosim::explore
