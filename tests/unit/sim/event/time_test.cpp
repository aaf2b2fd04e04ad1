#include "sim/event/time.hpp"

#include <limits>
#include <type_traits>

#include <gtest/gtest.h>

#include "sim/event/clock.hpp"

namespace mlosim::event {
namespace {

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};

static_assert(!Addable<Time, Time>, "two points have no sum");
static_assert(std::is_same_v<decltype(Time() - Time()), Span>);
static_assert(!std::is_convertible_v<Span, Time> && !std::is_convertible_v<Seconds, Span>);

TEST(Time, SecondsBecomeTheShortestSpanThatIsNotShorter) {
  EXPECT_EQ(to_span_up(Seconds(0)), picoseconds(0));
  EXPECT_EQ(to_span_up(Seconds(1e-12)), picoseconds(1));
  EXPECT_EQ(to_span_up(Seconds(0.1e-12)), picoseconds(1));
  EXPECT_EQ(to_span_up(Seconds(26.67e-12)), picoseconds(27));
  EXPECT_EQ(to_span_up(Seconds(1)), microseconds(1'000'000));
}

TEST(Time, DecimalFractionsOfASecondAreNotRoundedPastThemselves) {
  for (int ns = 1; ns <= 100'000; ++ns) ASSERT_EQ(to_span_up(Seconds(ns * 1e-9)), nanoseconds(ns)) << ns;
  for (int ps = 1; ps <= 100'000; ++ps) ASSERT_EQ(to_span_up(Seconds(ps / 1e12)), picoseconds(ps)) << ps;
}

TEST(Time, SpansComeBackFromSecondsUnchanged) {
  for (std::int64_t ps = 1; ps < (std::int64_t{1} << 49); ps = ps * 3 + 1) {
    ASSERT_EQ(to_span_up(to_seconds(Span(ps))), Span(ps)) << ps;
  }
}

TEST(Time, SecondsThatAreNoSpanAreOurMistake) {
  EXPECT_THROW(to_span_up(Seconds(-1e-12)), InternalError);
  EXPECT_THROW(to_span_up(Seconds(std::numeric_limits<double>::quiet_NaN())), InternalError);
  EXPECT_THROW(to_span_up(Seconds(std::numeric_limits<double>::infinity())), InternalError);
  EXPECT_THROW(to_span_up(Seconds(1e7)), InternalError);
}

TEST(Time, OverflowIsOurMistake) {
  EXPECT_THROW(kEndOfTime + picoseconds(1), InternalError);
  EXPECT_THROW(Span(std::numeric_limits<std::int64_t>::max()) * 2, InternalError);
  EXPECT_THROW(Span(std::numeric_limits<std::int64_t>::min()) - picoseconds(1), InternalError);
}

TEST(Clock, ThreeGigahertzDoesNotDriftOverABillionEdges) {
  const Clock clock(3'000'000'000);
  for (std::int64_t n = 0; n <= 1'000'000'000; n += 999) {
    // ceil(n * 1000 / 3), and 1e9 * 1000 fits.
    ASSERT_EQ(clock.edge(n), Time((n * 1000 + 2) / 3)) << n;
  }
  EXPECT_EQ(clock.edge(1'000'000'000), Time(333'333'333'334));
  EXPECT_EQ(clock.edge(3'000'000'000), Time(kPicosecondsPerSecond));
  EXPECT_EQ(clock.cycles(3'000'000'000 * std::int64_t{86'400}), Span(86'400 * kPicosecondsPerSecond));
}

TEST(Clock, EdgesAreOnePeriodApartRoundedEitherWay) {
  const Clock clock = Clock::from(Hertz(1.755e9));  // 569.80... ps
  for (std::int64_t n = 0; n < 100'000; ++n) {
    const Span period = clock.edge(n + 1) - clock.edge(n);
    ASSERT_TRUE(period == picoseconds(569) || period == picoseconds(570)) << n;
  }
  EXPECT_EQ(clock.edge(1'755'000'000), Time(kPicosecondsPerSecond));
}

TEST(Clock, TheNextEdgeIsTheFirstThatIsNotBefore) {
  const Clock clock(3'000'000'000, 1, Time(100));
  EXPECT_EQ(clock.next_edge(Time(0)), 0);
  EXPECT_EQ(clock.next_edge(Time(100)), 0);
  for (std::int64_t n = 1; n < 10'000; ++n) {
    ASSERT_EQ(clock.next_edge(clock.edge(n)), n);
    ASSERT_EQ(clock.next_edge(clock.edge(n) + picoseconds(1)), n + 1);
    ASSERT_EQ(clock.next_edge(clock.edge(n) - picoseconds(1)), n);
  }
}

TEST(Clock, AnEdgeBeyondTheEndOfTimeIsOurMistake) {
  EXPECT_THROW(Clock(1).edge(std::numeric_limits<std::int64_t>::max()), InternalError);
  EXPECT_THROW(Clock(1).edge(-1), InternalError);
  EXPECT_THROW(Clock(0), InternalError);
}

}  // namespace
}  // namespace mlosim::event
