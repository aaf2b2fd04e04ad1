// A clock of rational frequency whose n-th edge is computed from n, never by adding up a rounded period: 3 GHz does not
// drift, however long the run.
//
// A change of frequency is a new Clock whose origin is the moment of the change.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "sim/event/time.hpp"

namespace mlosim::event {

class Clock {
 public:
  // `cycles` edges in every `per_seconds` seconds; edge 0 is at `origin`.
  constexpr explicit Clock(std::int64_t cycles, std::int64_t per_seconds = 1, Time origin = Time())
      : cycles_(cycles), per_seconds_(per_seconds), origin_(origin) {
    MLOSIM_CHECK(cycles > 0 && per_seconds > 0 && per_seconds <= kLongestRatio);
  }

  // The frequency to the nearest millihertz.
  static Clock from(Hertz frequency, Time origin = Time()) {
    const double millihertz = frequency.si() * 1000;
    MLOSIM_CHECK(millihertz >= 1 && millihertz < 0x1p63);
    return Clock(std::llround(millihertz), 1000, origin);
  }

  // The first picosecond at or after edge n (n >= 0).
  constexpr Time edge(std::int64_t n) const {
    MLOSIM_CHECK(n >= 0);
    const Wide ps = divide_up(Wide(n) * kPicosecondsPerSecond * per_seconds_, cycles_);
    MLOSIM_CHECK(ps <= std::numeric_limits<std::int64_t>::max());
    return origin_ + Span(static_cast<std::int64_t>(ps));
  }

  // The number of the first edge that is not before t.
  constexpr std::int64_t next_edge(Time t) const {
    if (t <= origin_) return 0;
    // edge(n) >= t  <=>  n * 1e12 * per > (t - 1 - origin) * cycles, since edge(n) is rounded up.
    const Wide before = Wide((t - origin_).ps() - 1) * cycles_;
    const Wide n = before / (Wide(kPicosecondsPerSecond) * per_seconds_) + 1;
    MLOSIM_CHECK(n <= std::numeric_limits<std::int64_t>::max());
    return static_cast<std::int64_t>(n);
  }

  // From edge 0 to edge n: n cycles, rounded up once.
  constexpr Span cycles(std::int64_t n) const { return edge(n) - origin_; }

 private:
  __extension__ using Wide = __int128;
  // n < 2^63, 1e12 < 2^40: what is left of 127 bits for the denominator.
  static constexpr std::int64_t kLongestRatio = 1 << 23;

  static constexpr Wide divide_up(Wide a, std::int64_t b) { return (a + b - 1) / b; }

  std::int64_t cycles_;
  std::int64_t per_seconds_;
  Time origin_;
};

}  // namespace mlosim::event
