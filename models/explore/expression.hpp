// Arithmetic with units over the numbers of a study: derived axes, constraints and objectives.
//
//   expression := term { ("+" | "-") term }
//   term       := factor { ("*" | "/") factor }
//   factor     := ["-"] value [ "^" whole number ]
//   value      := number [unit] | name | function "(" expression { "," expression } ")" | "(" expression ")"
//
// A unit is written without blanks inside: "4 TB/s". Names are words joined by dots: paths of axes, variables, numbers
// of the spec, metrics. Functions: min, max (two or more), sqrt, and round, floor, ceil of a plain number or, with a
// second argument, to its multiples: floor(x, 1 MiB). Both sides of + and -, and all arguments of min and max, have one
// dimension.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/spec/diagnostics.hpp"
#include "sim/units/parse.hpp"

namespace mlosim::explore {

// What a name stands for: the number in a slot of those that an evaluation is given, or a number that never changes.
struct Meaning {
  std::optional<std::size_t> slot;
  double constant = 0;  // in SI base units, where there is no slot
  Dimension dimension;
};

// Throws spec::InputError for a name that means nothing.
using Resolve = std::function<Meaning(const std::string& name)>;

class Expression {
 public:
  // In SI base units; NaN where a slot that it takes is NaN, or where a number is divided by zero.
  double evaluate(std::span<const double> slots) const;
  Dimension dimension() const { return dimension_; }
  // Slots that it takes, in the order of their first appearance.
  std::vector<std::size_t> slots() const;
  // The slot that it is, where it is nothing else.
  std::optional<std::size_t> lone_slot() const;

  enum class Code {
    constant,
    slot,
    negate,
    add,
    subtract,
    multiply,
    divide,
    power,
    minimum,
    maximum,
    root,
    to_multiple
  };
  struct Step {
    Code code = Code::constant;
    double number = 0;     // constant; exponent of power
    std::size_t slot = 0;  // of a slot; rounding mode of to_multiple: 0 nearest, 1 down, 2 up
  };

 private:
  friend class ExpressionParser;

  std::vector<Step> steps_;  // reverse Polish
  Dimension dimension_;
};

// Throws spec::InputError at `place`, with `path` naming whose expression it is.
Expression parse_expression(std::string_view text, const spec::Place& place, const std::string& path,
                            const Resolve& resolve);

enum class Relation { at_most, below, at_least, above, equal };

// "left <= right"; also <, >=, > and ==. Sides that differ by rounding alone are equal.
struct Comparison {
  Expression left, right;
  Relation relation = Relation::at_most;

  // Whether both sides are numbers: neither infinite nor NaN. It holds only then.
  bool has_value(std::span<const double> slots) const;
  bool holds(std::span<const double> slots) const;
};

// Throws spec::InputError, also where the two sides have different dimensions.
Comparison parse_comparison(std::string_view text, const spec::Place& place, const std::string& path,
                            const Resolve& resolve);

}  // namespace mlosim::explore
