// Points of time do not add up.
// expects: no match for 'operator\+'|invalid operands to binary expression
#include "sim/event/time.hpp"

const auto sum = mlosim::event::Time(1) + mlosim::event::Time(1);
