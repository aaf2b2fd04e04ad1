// Arithmetic of the bandwidth resources: time in parts of 2^-32 ps, so that many short transfers add up without loss
// and only the moment at which somebody is told is rounded up to a picosecond.
//
// Used by FifoResource, FairResource and sim/machine's SharedChip; simulated time is Time.
#pragma once

#include <cmath>
#include <cstdint>

#include "sim/event/time.hpp"

namespace mlosim::event::fluid {

__extension__ using Wide = __int128;

inline constexpr int kPartBits = 32;
inline constexpr double kParts = 0x1p32;

// A moment, or a length, in 2^-32 ps.
constexpr Wide parts_of(Time t) { return Wide(t.ps()) << kPartBits; }

// To the nearest part.
inline Wide rounded(double parts) {
  MLOSIM_CHECK(parts >= 0 && parts < 0x1p95);
  return static_cast<Wide>(std::nearbyint(parts));
}

// The first picosecond that is not before `moment`. An excess below 2^-10 ps is noise of binary fractions: a transfer
// of 300 bytes at 1 byte a picosecond ends at 300 ps, however its share has changed on the way.
constexpr Time round_up(Wide moment) {
  constexpr Wide kNoise = Wide(1) << (kPartBits - 10);
  const Wide ps = (moment - kNoise + (Wide(1) << kPartBits) - 1) >> kPartBits;
  MLOSIM_CHECK(ps >= 0 && ps <= kEndOfTime.ps());
  return Time(static_cast<std::int64_t>(ps));
}

}  // namespace mlosim::event::fluid
