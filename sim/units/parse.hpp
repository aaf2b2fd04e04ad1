// Text to quantity: "4.8 TB/s", "50 MiB", "0.6 pJ/flop", "12/s". Used by everything that reads YAML.
//
// Grammar: number [prefix]unit { ("/" | "*") [prefix]unit }, or number "/" unit. Prefixes are SI (f p n u µ m k M G T P
// E) and IEC (Ki Mi Gi Ti Pi) and mean what SI and IEC say. Units: s min h day, B, bit, flop, op, J, Wh, W, Hz, USD, $,
// clk. flop and op are both work; clk (a clock tick) and a bare number have no dimension.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "sim/units/quantity.hpp"

namespace mlosim {

// Exponents of (time, data, work, energy, money) as values.
struct Dimension {
  int time = 0, data = 0, work = 0, energy = 0, money = 0;
  friend constexpr bool operator==(const Dimension&, const Dimension&) = default;
};

template <class D>
constexpr Dimension dimension_of(Quantity<D>) {
  return {D::kTime, D::kData, D::kWork, D::kEnergy, D::kMoney};
}

struct ParsedQuantity {
  double si = 0;        // in SI base units
  Dimension dimension;  // of the unit that was written
  bool has_unit = false;
};

struct ParseError {
  std::string message;  // a sentence without a full stop
  std::string hint;     // what to write instead; may be empty
};

// Reads any quantity. NaN, infinities and trailing text are errors.
std::variant<ParsedQuantity, ParseError> parse_quantity(std::string_view text);

// The same, with the dimension checked. `si` of the result has the dimension `expected`; a missing unit is an error
// unless `expected` is without dimension.
std::variant<double, ParseError> parse_quantity_as(std::string_view text, Dimension expected);

// "time (such as 3 us)", "data rate (such as 4.8 TB/s)": how messages name a dimension.
std::string describe(Dimension dimension);

}  // namespace mlosim
