#include "sim/event/event_queue.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <queue>
#include <random>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "sim/event/simulator.hpp"

namespace mlosim::event {
namespace {

struct Numbered : Event {
  explicit Numbered(int n) : Event([](Simulator&, Event&) {}), number(n) {}
  int number;
};

std::vector<int> drain(EventQueue& queue) {
  std::vector<int> numbers;
  for (auto next = queue.pop(kEndOfTime); next.event != nullptr; next = queue.pop(kEndOfTime)) {
    numbers.push_back(static_cast<Numbered*>(next.event)->number);
  }
  return numbers;
}

TEST(EventQueue, EqualTimesComeOutInTheOrderTheyWereScheduled) {
  EventQueue queue;
  std::deque<Numbered> events;
  std::vector<int> expected;
  for (int i = 0; i < 1000; ++i) {
    queue.push(Time(70'000), Phase::complete, events.emplace_back(i));
    expected.push_back(i);
  }
  EXPECT_EQ(drain(queue), expected);
  EXPECT_EQ(queue.now(), Time(70'000));
}

TEST(EventQueue, PhasesOfOneTimeComeOutInTheirOrderWhateverTheOrderOfScheduling) {
  EventQueue queue;
  std::deque<Numbered> events;
  for (int i = 0; i < 30; ++i) queue.push(Time(5), static_cast<Phase>(2 - i % 3), events.emplace_back(2 - i % 3));
  std::vector<int> expected(10, 0);
  expected.insert(expected.end(), 10, 1);
  expected.insert(expected.end(), 10, 2);
  EXPECT_EQ(drain(queue), expected);
}

TEST(EventQueue, AnEarlierPhaseScheduledDuringALaterOneComesNext) {
  EventQueue queue;
  Numbered a(1), b(2), c(3), d(4);
  queue.push(Time(5), Phase::observe, a);
  queue.push(Time(5), Phase::observe, b);
  EXPECT_EQ(queue.pop(kEndOfTime).event, &a);
  queue.push(Time(5), Phase::arbitrate, c);
  queue.push(Time(5), Phase::complete, d);
  EXPECT_EQ(drain(queue), (std::vector<int>{4, 3, 2}));
  EXPECT_EQ(queue.now(), Time(5));
}

TEST(EventQueue, ThePastIsOurMistake) {
  EventQueue queue;
  Numbered a(1);
  queue.push(Time(5), Phase::complete, a);
  queue.pop(kEndOfTime);
  EXPECT_THROW(queue.push(Time(4), Phase::complete, a), InternalError);
}

TEST(EventQueue, NothingIsTakenBeyondTheLimit) {
  EventQueue queue;
  Numbered a(1), b(2);
  queue.push(Time(1'000'000), Phase::complete, a);
  EXPECT_EQ(queue.pop(Time(999'999)).event, nullptr);
  queue.skip_to(Time(999'000));
  queue.push(Time(999'001), Phase::complete, b);
  EXPECT_EQ(drain(queue), (std::vector<int>{2, 1}));
}

TEST(EventQueue, TheEndOfTimeIsATime) {
  EventQueue queue;
  Numbered a(1), b(2);
  queue.push(kEndOfTime, Phase::complete, a);
  queue.push(Time(1), Phase::complete, b);
  EXPECT_EQ(drain(queue), (std::vector<int>{2, 1}));
  EXPECT_EQ(queue.now(), kEndOfTime);
}

// Against a heap of (time, phase, sequence): same stream of pops for the same pushes.
class AgainstAHeap : public testing::TestWithParam<std::tuple<int, int>> {};

std::int64_t draw_delay(int distribution, std::mt19937_64& random) {
  constexpr std::array<std::int64_t, 17> kTies{0, 1, 1, 1, 2, 2, 4, 4, 8, 16, 20, 64, 100, 200, 400, 600, 1000};
  switch (distribution) {
    case 0:
      return static_cast<std::int64_t>(random() % 2'000'000);
    case 1:
      return kTies[random() % kTies.size()];
    case 2:
      return static_cast<std::int64_t>(random() % 10 == 0 ? random() % 10'000'000 : random() % 1000);
    default:
      return static_cast<std::int64_t>(std::uint64_t{1} << (random() % 45));
  }
}

TEST_P(AgainstAHeap, ThePopsAreTheSame) {
  const auto [distribution, pending] = GetParam();
  std::mt19937_64 random(static_cast<std::uint64_t>(pending + distribution));
  using Key = std::tuple<std::int64_t, int, int>;
  std::priority_queue<Key, std::vector<Key>, std::greater<>> heap;
  EventQueue queue;
  std::deque<Numbered> events;
  const auto push = [&](std::int64_t at) {
    const int phase = random() % 4 == 0 ? static_cast<int>(random() % 3) : 0;
    const int sequence = static_cast<int>(events.size());
    heap.emplace(at, phase, sequence);
    queue.push(Time(at), static_cast<Phase>(phase), events.emplace_back(sequence));
  };
  for (int i = 0; i < pending; ++i) push(draw_delay(distribution, random));
  int to_push = 2 * pending;
  std::int64_t limit = 0;
  while (!heap.empty()) {
    const auto [at, phase, sequence] = heap.top();
    heap.pop();
    if (random() % 8 == 0 && limit < at) {  // peeking early finds nothing and changes nothing
      limit = std::max(queue.now().ps(), at - 1 - static_cast<std::int64_t>(random() % 100));
      if (limit < at) {
        ASSERT_EQ(queue.pop(Time(limit)).event, nullptr);
      }
    }
    const auto next = queue.pop(Time(at));
    ASSERT_NE(next.event, nullptr);
    ASSERT_EQ(queue.now(), Time(at));
    ASSERT_EQ(static_cast<int>(next.phase), phase);
    ASSERT_EQ(static_cast<Numbered*>(next.event)->number, sequence);
    for (std::uint64_t n = random() % 3; n > 0 && to_push > 0; --n, --to_push) {
      push(at + draw_delay(distribution, random));
    }
  }
  EXPECT_EQ(queue.pop(kEndOfTime).event, nullptr);
}

INSTANTIATE_TEST_SUITE_P(EventQueue, AgainstAHeap,
                         testing::Combine(testing::Values(0, 1, 2, 3), testing::Values(1, 2, 7, 100, 5'000, 200'000)));

struct Alarm : Timer {
  Alarm() : Timer([](Simulator& sim, Event& e) { static_cast<Alarm&>(e).rang.push_back(sim.now().ps()); }) {}
  std::vector<std::int64_t> rang;
};

TEST(Timer, FiresOnceAtTheTimeForWhichItIsArmedLast) {
  Simulator sim;
  Alarm alarm;
  alarm.arm(sim, Time(10));
  alarm.arm(sim, Time(30));
  alarm.arm(sim, Time(20));
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(alarm.rang, std::vector<std::int64_t>{20});
}

TEST(Timer, DisarmedItNeitherMovesTheClockNorCounts) {
  Simulator sim;
  Alarm alarm, other;
  alarm.arm(sim, Time(1'000'000));
  other.arm(sim, Time(500));
  alarm.disarm();
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(sim.now(), Time(500));
  EXPECT_EQ(sim.event_count(), 1u);
  // The queue was drawn past 500; times from there on are still free.
  other.arm(sim, Time(501));
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(other.rang, (std::vector<std::int64_t>{500, 501}));
}

TEST(Timer, CanBeDisarmedByAnEventOfItsOwnTime) {
  Simulator sim;
  struct Disarm : Event {
    explicit Disarm(Alarm& a) : Event([](Simulator&, Event& e) { static_cast<Disarm&>(e).alarm.disarm(); }), alarm(a) {}
    Alarm& alarm;
  };
  Alarm alarm;
  Disarm disarm(alarm);
  sim.schedule(disarm, picoseconds(7));
  alarm.arm(sim, Time(7));
  EXPECT_TRUE(sim.run().empty());
  EXPECT_TRUE(alarm.rang.empty());
}

TEST(Timer, RearmedForTheSameTimeFiresOnce) {
  Simulator sim;
  Alarm alarm;
  alarm.arm(sim, Time(7));
  alarm.disarm();
  alarm.arm(sim, Time(7), Phase::observe);
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(alarm.rang, std::vector<std::int64_t>{7});
}

}  // namespace
}  // namespace mlosim::event
