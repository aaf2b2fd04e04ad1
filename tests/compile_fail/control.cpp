// What the snippets beside this one get wrong, done right: this must compile.
#include "sim/event/time.hpp"
#include "sim/units/quantity.hpp"

mlosim::Seconds transfer_time(mlosim::Bytes size, mlosim::BytesPerSecond bandwidth) { return size / bandwidth; }

const auto sum = mlosim::Bytes(1) + mlosim::Bytes(1);
const mlosim::Seconds time = transfer_time(mlosim::Bytes(1), mlosim::BytesPerSecond(1));
const bool less = mlosim::Seconds(1) < time;
const bool equal = mlosim::Seconds(1) == time;
const double number = mlosim::Seconds(1).si();

const mlosim::event::Span span = mlosim::event::Time(1) - mlosim::event::Time(1);
const mlosim::event::Time later = mlosim::event::Time() + mlosim::event::to_span_up(mlosim::Seconds(1));
const bool earlier = mlosim::event::Time(1) < later;
