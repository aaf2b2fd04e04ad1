#include "sim/event/fair_resource.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlosim::event {
namespace {

constexpr BytesPerSecond kBytePerPs{1e12};

struct Done : Event {
  Done() : Event([](Simulator& sim, Event& e) { static_cast<Done&>(e).at = sim.now(); }) {}
  std::optional<Time> at;
};

// Calls a function at a time; for tests only, where speed does not matter.
struct Call : Event {
  explicit Call(std::function<void()> f)
      : Event([](Simulator&, Event& e) { static_cast<Call&>(e).function(); }), function(std::move(f)) {}
  std::function<void()> function;
};

struct Arrival {
  std::int64_t at;
  double bytes;
  double weight = 1;
};

// When each flow ends, in picoseconds.
std::vector<std::int64_t> play_fair(FairResource::Spec spec, const std::vector<Arrival>& arrivals) {
  Simulator sim;
  FairResource resource(sim, std::move(spec));
  std::deque<Done> done;
  std::deque<Call> calls;
  for (const Arrival& a : arrivals) {
    Done& d = done.emplace_back();
    Call& begin = calls.emplace_back([&resource, &d, a] { resource.start(Bytes(a.bytes), d, a.weight); });
    sim.schedule_at(begin, Time(a.at));
  }
  EXPECT_TRUE(sim.run().empty());
  std::vector<std::int64_t> ends;
  for (const Done& d : done) ends.push_back(d.at ? d.at->ps() : -1);
  return ends;
}

TEST(FairResource, AloneAFlowIsBusyOnePicosecondBeforeItsEndAndDoneAtIt) {
  Simulator sim;
  FairResource hbm(sim, {.name = "hbm", .rate = kBytePerPs});
  Done done;
  hbm.start(Bytes(1000), done);
  sim.run_until(Time(999));
  EXPECT_FALSE(done.at);
  EXPECT_EQ(hbm.flow_count(), 1u);
  sim.run_until(Time(1000));
  EXPECT_EQ(done.at, Time(1000));
  EXPECT_EQ(hbm.flow_count(), 0u);
}

TEST(FairResource, EqualFlowsTakeAsManyTimesLongerAsTheyAre) {
  for (int n = 1; n <= 200; ++n) {
    const std::vector<Arrival> arrivals(static_cast<std::size_t>(n), {.at = 0, .bytes = 1000});
    EXPECT_THAT(play_fair({.name = "hbm", .rate = kBytePerPs}, arrivals), testing::Each(1000 * n)) << n;
  }
}

TEST(FairResource, ALateArrivalSlowsTheOtherFromThenOn) {
  // First: 500 alone, then 500 bytes at half rate; second: the same 1000 ps at half rate, then 500 bytes alone.
  EXPECT_EQ(play_fair({.name = "hbm", .rate = kBytePerPs}, {{.at = 0, .bytes = 1000}, {.at = 500, .bytes = 1000}}),
            (std::vector<std::int64_t>{1500, 2000}));
}

TEST(FairResource, WeightsShareInProportion) {
  // 3:1 until the first ends at 400 with 100 moved by the other, which then has all.
  EXPECT_EQ(play_fair({.name = "hbm", .rate = kBytePerPs},
                      {{.at = 0, .bytes = 300, .weight = 3}, {.at = 0, .bytes = 300, .weight = 1}}),
            (std::vector<std::int64_t>{400, 600}));
}

TEST(FairResource, AFlowIsHeldToTheCapUntilTheShareIsLess) {
  const FairResource::Spec spec{.name = "hbm", .rate = kBytePerPs, .flow_cap = kBytePerPs * 0.25};
  EXPECT_EQ(play_fair(spec, {{.at = 0, .bytes = 100}}), std::vector<std::int64_t>{400});
  EXPECT_THAT(play_fair(spec, std::vector<Arrival>(4, {.at = 0, .bytes = 100})), testing::Each(400));
  EXPECT_THAT(play_fair(spec, std::vector<Arrival>(8, {.at = 0, .bytes = 100})), testing::Each(800));
}

TEST(FairResource, LatencyComesOnTop) {
  EXPECT_THAT(play_fair({.name = "hbm", .rate = kBytePerPs, .latency = picoseconds(7)},
                        std::vector<Arrival>(2, {.at = 0, .bytes = 100})),
              testing::Each(207));
}

TEST(FairResource, AFlowWithoutBytesEndsAtOnceEvenOverADeadLink) {
  EXPECT_EQ(play_fair({.name = "hbm", .rate = BytesPerSecond(0)}, {{.at = 5, .bytes = 0}}),
            std::vector<std::int64_t>{5});
}

TEST(FairResource, AChangeOfRateHoldsForFlowsUnderWay) {
  Simulator sim;
  FairResource link(sim, {.name = "link", .rate = kBytePerPs});
  Done done;
  link.start(Bytes(1000), done);
  sim.run_until(Time(400));
  link.set_rate(BytesPerSecond(0));
  sim.run_until(Time(1'000'000));
  EXPECT_FALSE(done.at);
  link.set_rate(kBytePerPs * 2);
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(done.at, Time(1'000'300));
}

TEST(FairResource, ARisingRateEndsTheRunAtTheNewTimeNotTheOld) {
  Simulator sim;
  FairResource link(sim, {.name = "link", .rate = kBytePerPs * 0.001});
  Done done;
  link.start(Bytes(1000), done);
  sim.run_until(Time(1));
  link.set_rate(kBytePerPs);
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(done.at, sim.now());
  EXPECT_EQ(sim.now(), Time(1001));
}

TEST(FairResource, AFlowSplitInTwoIsNeverFaster) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Arrival> others;
    for (std::uint64_t n = random() % 20; n > 0; --n) {
      others.push_back(
          {.at = static_cast<std::int64_t>(random() % 5000), .bytes = static_cast<double>(random() % 3000)});
    }
    const double bytes = static_cast<double>(1 + random() % 5000);
    const double part = std::floor(bytes * 0.01 * static_cast<double>(random() % 101));
    auto whole = others, halves = others;
    whole.push_back({.at = 100, .bytes = bytes, .weight = 1});
    halves.push_back({.at = 100, .bytes = part, .weight = 0.5});
    halves.push_back({.at = 100, .bytes = bytes - part, .weight = 0.5});
    const FairResource::Spec spec{.name = "hbm", .rate = kBytePerPs};
    const auto split = play_fair(spec, halves);
    ASSERT_GE(std::max(split[split.size() - 1], split[split.size() - 2]), play_fair(spec, whole).back());
  }
}

TEST(FairResource, WhileItIsBusyItMovesItsWholeRate) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 100; ++round) {
    std::vector<Arrival> arrivals;
    double total = 0;
    for (int i = 0; i < 500; ++i) {
      const double bytes = static_cast<double>(1 + random() % 500);
      total += bytes;
      arrivals.push_back({.at = static_cast<std::int64_t>(random() % 100),
                          .bytes = bytes,
                          .weight = static_cast<double>(1 + random() % 7)});
    }
    arrivals[0].at = 0;
    arrivals[0].bytes += 100;  // busy from 0 on
    total += 100;
    const auto ends = play_fair({.name = "hbm", .rate = BytesPerSecond(3.35e12)}, arrivals);
    ASSERT_EQ(*std::max_element(ends.begin(), ends.end()), std::llround(std::ceil(total / 3.35 - 1e-3)));
  }
}

// The plain way: move all flows from event to event, in exact rational steps as doubles.
std::vector<double> fluid_reference(std::vector<Arrival> arrivals, double rate) {
  std::vector<double> left, ends(arrivals.size(), -1);
  for (const Arrival& a : arrivals) left.push_back(a.bytes);
  double now = 0;
  for (;;) {
    double weights = 0, next = INFINITY;
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
      if (ends[i] >= 0) continue;
      if (static_cast<double>(arrivals[i].at) <= now) {
        weights += arrivals[i].weight;
      } else {
        next = std::min(next, static_cast<double>(arrivals[i].at));
      }
    }
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
      if (ends[i] < 0 && static_cast<double>(arrivals[i].at) <= now) {
        next = std::min(next, now + left[i] * weights / (rate * arrivals[i].weight));
      }
    }
    if (next == INFINITY) return ends;
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
      if (ends[i] >= 0 || static_cast<double>(arrivals[i].at) > now) continue;
      left[i] -= (next - now) * rate * arrivals[i].weight / weights;
      if (left[i] < 1e-7) ends[i] = next;
    }
    now = next;
  }
}

TEST(FairResource, EachFlowEndsWhenTheIntegralOfItsShareIsItsBytes) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 100; ++round) {
    std::vector<Arrival> arrivals;
    for (std::uint64_t n = 1 + random() % 40; n > 0; --n) {
      arrivals.push_back({.at = static_cast<std::int64_t>(random() % 3000),
                          .bytes = static_cast<double>(1 + random() % 1000),
                          .weight = static_cast<double>(1 + random() % 3)});
    }
    const auto expected = fluid_reference(arrivals, 0.8);
    const auto ends = play_fair({.name = "hbm", .rate = kBytePerPs * 0.8}, arrivals);
    for (std::size_t i = 0; i < ends.size(); ++i) {
      ASSERT_GE(static_cast<double>(ends[i]), expected[i] - 2e-3);
      ASSERT_LT(static_cast<double>(ends[i]), expected[i] + 1);
    }
  }
}

TEST(FairResource, TellsItsObserversInTheOrderOfAttachment) {
  Simulator sim;
  FairResource hbm(sim, {.name = "hbm", .rate = kBytePerPs});
  std::vector<int> order;
  struct Numbered : Observer<TransferFact> {
    Numbered(int n, std::vector<int>& o) : number(n), out(o) {}
    void observe(const TransferFact& fact) override {
      EXPECT_EQ(fact.finished, Time(10));
      EXPECT_EQ(fact.resource, "hbm");
      out.push_back(number);
    }
    int number;
    std::vector<int>& out;
  } first(1, order), second(2, order);
  hbm.transfer_facts().attach(second);
  hbm.transfer_facts().attach(first);
  Done done;
  hbm.start(Bytes(10), done);
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(order, (std::vector<int>{2, 1}));
}

}  // namespace
}  // namespace mlosim::event
