// A point and a length of time have no order.
// expects: no match for 'operator<'|invalid operands to binary expression
#include "sim/event/time.hpp"

const bool less = mlosim::event::Time(1) < mlosim::event::Span(1);
