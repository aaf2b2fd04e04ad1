// Only like quantities are equal.
// expects: no match for 'operator=='|invalid operands to binary expression
#include "sim/units/quantity.hpp"

const bool equal = mlosim::Seconds(1) == mlosim::Bytes(1);
