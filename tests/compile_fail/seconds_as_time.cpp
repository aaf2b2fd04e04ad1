// Seconds become simulated time only where the rounding is named.
// expects: no matching function for call to .*Time|no matching conversion for functional-style cast
#include "sim/event/time.hpp"

const auto time = mlosim::event::Time(mlosim::Seconds(1));
