// A parameter takes its own dimension alone.
// expects: could not convert .* to .*Quantity|no matching function for call to 'transfer_time'
#include "sim/units/quantity.hpp"

mlosim::Seconds transfer_time(mlosim::Bytes size, mlosim::BytesPerSecond bandwidth) { return size / bandwidth; }
const mlosim::Seconds time = transfer_time(mlosim::Bytes(1), mlosim::Bytes(1));
