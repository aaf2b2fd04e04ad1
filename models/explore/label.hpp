// How the numbers of axes and derived paths are shown.
#pragma once

#include <string>

#include "sim/units/format.hpp"
#include "sim/units/parse.hpp"

namespace mlosim::explore {

// "4.000 TB/s", "0.3000", and "8" where a plain number is whole. `si` is in SI base units.
std::string label_of_number(double si, Dimension dimension, Prefixes prefixes = Prefixes::si);

}  // namespace mlosim::explore
