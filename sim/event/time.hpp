// Simulated time: whole picoseconds in 64 bits (106 days). A point (Time) and a span (Span) are distinct types.
//
// This is the only bridge between simulated time and Seconds; the rounding is in the function's name. A span or point
// that does not fit, and a Seconds that is negative or not a number, is our own mistake: MLOSIM_CHECK.
#pragma once

#include <cmath>
#include <compare>
#include <cstdint>
#include <limits>

#include "sim/units/check.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::event {

inline constexpr std::int64_t kPicosecondsPerSecond = 1'000'000'000'000;

namespace detail {
constexpr std::int64_t checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  MLOSIM_CHECK(!__builtin_add_overflow(a, b, &sum));
  return sum;
}
constexpr std::int64_t checked_subtract(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  MLOSIM_CHECK(!__builtin_sub_overflow(a, b, &difference));
  return difference;
}
constexpr std::int64_t checked_multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  MLOSIM_CHECK(!__builtin_mul_overflow(a, b, &product));
  return product;
}
}  // namespace detail

// A length of simulated time; a difference of two points may be negative.
class Span {
 public:
  constexpr Span() = default;
  constexpr explicit Span(std::int64_t picoseconds) : ps_(picoseconds) {}

  constexpr std::int64_t ps() const { return ps_; }

  friend constexpr Span operator+(Span a, Span b) { return Span(detail::checked_add(a.ps_, b.ps_)); }
  friend constexpr Span operator-(Span a, Span b) { return Span(detail::checked_subtract(a.ps_, b.ps_)); }
  friend constexpr Span operator*(Span a, std::int64_t n) { return Span(detail::checked_multiply(a.ps_, n)); }
  friend constexpr Span operator*(std::int64_t n, Span a) { return a * n; }
  friend constexpr auto operator<=>(Span, Span) = default;

 private:
  std::int64_t ps_ = 0;
};

// A point of simulated time; a run starts at Time().
class Time {
 public:
  constexpr Time() = default;
  constexpr explicit Time(std::int64_t picoseconds) : ps_(picoseconds) {}

  constexpr std::int64_t ps() const { return ps_; }

  friend constexpr Time operator+(Time t, Span s) { return Time(detail::checked_add(t.ps_, s.ps())); }
  friend constexpr Time operator-(Time t, Span s) { return Time(detail::checked_subtract(t.ps_, s.ps())); }
  friend constexpr Span operator-(Time a, Time b) { return Span(detail::checked_subtract(a.ps_, b.ps_)); }
  friend constexpr auto operator<=>(Time, Time) = default;

 private:
  std::int64_t ps_ = 0;
};

inline constexpr Time kEndOfTime{std::numeric_limits<std::int64_t>::max()};

constexpr Span picoseconds(std::int64_t n) { return Span(n); }
constexpr Span nanoseconds(std::int64_t n) { return 1'000 * Span(n); }
constexpr Span microseconds(std::int64_t n) { return 1'000'000 * Span(n); }

// The shortest span that is not shorter than `s`. A relative excess below 2^-50 over a whole picosecond is taken for
// the noise of binary fractions: 3e-9 seconds are 3000 ps, though the double nearest to them lies above.
inline Span to_span_up(Seconds s) {
  constexpr double kNoise = 1.0 / (1ULL << 50);
  const double ps = s.si() * static_cast<double>(kPicosecondsPerSecond);
  MLOSIM_CHECK(ps >= 0 && ps < 0x1p63);
  return Span(static_cast<std::int64_t>(std::ceil(ps * (1 - kNoise))));
}

// Exact up to 2^53 ps (2.5 hours), nearest beyond.
constexpr Seconds to_seconds(Span s) {
  return Seconds(static_cast<double>(s.ps()) / static_cast<double>(kPicosecondsPerSecond));
}

}  // namespace mlosim::event
