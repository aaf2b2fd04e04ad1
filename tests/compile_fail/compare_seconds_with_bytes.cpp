// Only like quantities are ordered.
// expects: no match for 'operator<'|invalid operands to binary expression
#include "sim/units/quantity.hpp"

const bool less = mlosim::Seconds(1) < mlosim::Bytes(1);
