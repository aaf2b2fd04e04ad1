// The number is taken out of a quantity by name.
// expects: cannot convert .* to 'const double'|no viable conversion from .* to 'const double'
#include "sim/units/quantity.hpp"

const double number = mlosim::Seconds(1);
