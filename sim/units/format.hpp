// Quantity to text: "12.3 ms", "1.41e+11 B". Used by reports and messages.
#pragma once

#include <string>

#include "sim/units/parse.hpp"

namespace mlosim {

enum class Prefixes { si, iec };

// `digits` significant digits with the prefix that keeps the number in [1, 1000): "4.80 TB/s", "12.3 ms". Prefixes::iec
// scales bytes by 1024: "131 GiB". Dimensions without a named unit are written in base units, numbers
// far beyond the prefixes with an exponent: "3.50e+29 s".
std::string format_short(double si, Dimension dimension, int digits = 3, Prefixes prefixes = Prefixes::si);

// The shortest text that parse_quantity reads back to the same double, in base units: "4.8e12 B/s".
std::string format_exact(double si, Dimension dimension);

template <class D>
std::string format_short(Quantity<D> quantity, int digits = 3, Prefixes prefixes = Prefixes::si) {
  return format_short(quantity.si(), dimension_of(quantity), digits, prefixes);
}
template <class D>
std::string format_exact(Quantity<D> quantity) {
  return format_exact(quantity.si(), dimension_of(quantity));
}

}  // namespace mlosim
