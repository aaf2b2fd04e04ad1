// What numbers of different chips are counted in, so that they can be compared and carried from one to another.
#pragma once

#include "sim/spec/chip_spec.hpp"
#include "validate/calibrate/parameter.hpp"

namespace mlosim::calibrate {

// What a carried value is counted in on a chip, in SI units: 1 for the number itself, a clock's time, a graph's latency
// …
double unit_of(Carried carried, const spec::ChipSpec& chip);

// What to expect of the parameter on a chip that nobody measured, between its bounds; its own value where the list does
// not say.
double typical_value(const ParameterRule& rule, const spec::ChipSpec& chip, double own);

}  // namespace mlosim::calibrate
