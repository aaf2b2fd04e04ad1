#include "sim/event/simulator.hpp"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/event/pool.hpp"
#include "sim/event/signal.hpp"

namespace mlosim::event {
namespace {

using Log = std::vector<std::string>;

struct Ticker : Event {
  Ticker(Span p, int n) : Event(&tick), period(p), left(n) {}
  static void tick(Simulator& sim, Event& event) {
    Ticker& self = static_cast<Ticker&>(event);
    if (--self.left > 0) sim.schedule(self, self.period);
  }
  Span period;
  int left;
};

TEST(Simulator, RunsRecordsToTheLastEvent) {
  Simulator sim;
  Ticker ticker(nanoseconds(2), 10);
  sim.schedule(ticker, nanoseconds(2));
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(sim.now(), Time() + nanoseconds(20));
  EXPECT_EQ(sim.event_count(), 10u);
}

TEST(Simulator, RunUntilFiresWhatIsDueAndStopsThere) {
  Simulator sim;
  Ticker ticker(nanoseconds(2), 10);
  sim.schedule(ticker, nanoseconds(2));
  sim.run_until(Time() + nanoseconds(6));
  EXPECT_EQ(ticker.left, 7);
  sim.run_until(Time() + nanoseconds(7));
  EXPECT_EQ(ticker.left, 7);
  EXPECT_EQ(sim.now(), Time() + nanoseconds(7));
  EXPECT_THROW(sim.run_until(Time()), InternalError);
}

std::uint64_t checksum_of(Span period, int events) {
  Simulator sim;
  Ticker a(period, events), b(nanoseconds(3), events);
  sim.schedule(a, Span());
  sim.schedule(b, Span(), Phase::observe);
  EXPECT_TRUE(sim.run().empty());
  return sim.order_checksum();
}

TEST(Simulator, TheChecksumIsTheSameForTheSameOrderAndAnotherForAnother) {
  EXPECT_EQ(checksum_of(nanoseconds(2), 100), checksum_of(nanoseconds(2), 100));
  EXPECT_NE(checksum_of(nanoseconds(2), 100), checksum_of(nanoseconds(2) + picoseconds(1), 100));
  EXPECT_NE(checksum_of(nanoseconds(2), 100), checksum_of(nanoseconds(2), 101));
}

TEST(Simulator, ProcessesTakeTurnsInTheOrderOfSpawning) {
  Simulator sim;
  Log log;
  const auto walk = [](Simulator& s, Log& l, std::string name) -> Task<> {
    for (int i = 0; i < 2; ++i) {
      l.push_back(name + "@" + std::to_string(s.now().ps()));
      co_await s.delay(picoseconds(5));
    }
  };
  sim.spawn("a", walk(sim, log, "a"));
  sim.spawn("b", walk(sim, log, "b"));
  EXPECT_TRUE(log.empty()) << "a process starts in run, not in spawn";
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(log, (Log{"a@0", "b@0", "a@5", "b@5"}));
  EXPECT_EQ(sim.now(), Time(10));
}

TEST(Simulator, ADelayInALaterPhaseWaitsForAllThatCompletesNow) {
  Simulator sim;
  Log log;
  sim.spawn("arbiter", [](Simulator& s, Log& l) -> Task<> {
    co_await s.delay(picoseconds(5), Phase::arbitrate);
    l.push_back("arbiter");
  }(sim, log));
  sim.spawn("worker", [](Simulator& s, Log& l) -> Task<> {
    co_await s.delay(picoseconds(5));
    l.push_back("worker");
  }(sim, log));
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(log, (Log{"worker", "arbiter"}));
}

Task<int> slow_square(Simulator& sim, int n) {
  co_await sim.delay(picoseconds(n));
  co_return n* n;
}

TEST(Task, GivesItsValueToTheCallerAfterItsTime) {
  Simulator sim;
  int sum = 0;
  sim.spawn("sum", [](Simulator& s, int& out) -> Task<> {
    for (int i = 1; i <= 4; ++i) out += co_await slow_square(s, i);
  }(sim, sum));
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(sum, 30);
  EXPECT_EQ(sim.now(), Time(10));
}

Task<int> at_once(int n) { co_return n; }

TEST(Task, AMillionThatNeverWaitNeedNoStack) {
  Simulator sim;
  std::int64_t sum = 0;
  sim.spawn("loop", [](std::int64_t& out) -> Task<> {
    for (int i = 0; i < 1'000'000; ++i) out += co_await at_once(1);
  }(sum));
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(sum, 1'000'000);
}

Task<> fails(Simulator& sim) {
  co_await sim.delay(picoseconds(3));
  throw std::runtime_error("broken");
}

TEST(Task, AnExceptionComesOutOfTheAwait) {
  Simulator sim;
  std::string caught;
  sim.spawn("catcher", [](Simulator& s, std::string& out) -> Task<> {
    try {
      co_await fails(s);
    } catch (const std::runtime_error& e) {
      out = e.what();
    }
  }(sim, caught));
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(caught, "broken");
}

TEST(Simulator, AnExceptionOfAProcessComesOutOfRun) {
  Simulator sim;
  sim.spawn("nested", [](Simulator& s) -> Task<> { co_await fails(s); }(sim));
  const Process other = sim.spawn("other", [](Simulator& s) -> Task<> { co_await s.delay(picoseconds(9)); }(sim));
  EXPECT_THROW(static_cast<void>(sim.run()), std::runtime_error);
  EXPECT_EQ(sim.now(), Time(3));
  EXPECT_FALSE(other.is_done());
  EXPECT_TRUE(sim.run().empty());
  EXPECT_TRUE(other.is_done());
}

TEST(Process, JoinWaitsForTheEndAndReturnsAtOnceAfterIt) {
  Simulator sim;
  Log log;
  const Process worker = sim.spawn("worker", [](Simulator& s) -> Task<> { co_await s.delay(picoseconds(8)); }(sim));
  const auto joiner = [](Simulator& s, Process p, Span before, Log& l) -> Task<> {
    co_await s.delay(before);
    co_await p;
    l.push_back(std::to_string(s.now().ps()));
  };
  sim.spawn("early", joiner(sim, worker, picoseconds(1), log));
  sim.spawn("late", joiner(sim, worker, picoseconds(20), log));
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(log, (Log{"8", "20"}));
}

TEST(Process, ManyShortOnesInARowLeaveNothingBehind) {
  Simulator sim;
  int done = 0;
  sim.spawn("parent", [](Simulator& s, int& count) -> Task<> {
    for (int i = 0; i < 10'000; ++i) {
      co_await s.spawn("child", [](Simulator& inner, int& n) -> Task<> {
        co_await inner.delay(picoseconds(1));
        ++n;
      }(s, count));
    }
  }(sim, done));
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(done, 10'000);
  EXPECT_EQ(sim.now(), Time(10'000));
}

TEST(Process, ThoseStillAliveAreDestroyedWithTheSimulator) {
  const auto held = std::make_shared<int>(1);
  {
    Simulator sim;
    Signal never(sim, "never");
    const auto wait = [](Signal& signal, std::shared_ptr<int>) -> Task<> { co_await signal; };
    sim.spawn("nested", [](Signal& signal, std::shared_ptr<int> h, auto inner) -> Task<> {
      co_await inner(signal, h);
    }(never, held, wait));
    sim.spawn("not started", wait(never, held));
    sim.run_until(Time());
    EXPECT_GT(held.use_count(), 1);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Signal, WakesThoseWhoWaitInOrderAndNobodyWhoComesLater) {
  Simulator sim;
  Log log;
  Signal signal(sim, "tick");
  const auto wait = [](Simulator& s, Signal& sig, Log& l, std::string name, Span before) -> Task<> {
    co_await s.delay(before);
    co_await sig;
    l.push_back(name);
  };
  sim.spawn("b", wait(sim, signal, log, "b", picoseconds(2)), Lifetime::service);
  sim.spawn("a", wait(sim, signal, log, "a", picoseconds(1)), Lifetime::service);
  sim.spawn("late", wait(sim, signal, log, "late", picoseconds(6)), Lifetime::service);
  sim.spawn("raiser", [](Simulator& s, Signal& sig) -> Task<> {
    co_await s.delay(picoseconds(5));
    sig.raise();
  }(sim, signal));
  EXPECT_TRUE(sim.run().empty()) << "services may wait for ever";
  EXPECT_EQ(log, (Log{"a", "b"}));
}

TEST(Gate, LetsPassOnceOpenAndEverAfter) {
  Simulator sim;
  Log log;
  Gate gate(sim, "ready");
  const auto pass = [](Simulator& s, Gate& g, Log& l, Span before) -> Task<> {
    co_await s.delay(before);
    co_await g;
    l.push_back(std::to_string(s.now().ps()));
  };
  sim.spawn("early", pass(sim, gate, log, picoseconds(1)));
  sim.spawn("late", pass(sim, gate, log, picoseconds(9)));
  struct Opener : Event {
    explicit Opener(Gate& g) : Event([](Simulator&, Event& e) { static_cast<Opener&>(e).gate.open(); }), gate(g) {}
    Gate& gate;
  } opener(gate);
  sim.schedule(opener, picoseconds(4));
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(log, (Log{"4", "9"}));
}

TEST(Gate, FiresRecordsToo) {
  Simulator sim;
  Gate gate(sim, "ready");
  Ticker before(picoseconds(1), 1), after(picoseconds(1), 1);
  gate.wait(before);
  gate.open();
  gate.wait(after);
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(before.left + after.left, 0);
}

TEST(Pool, GrantsInTheOrderOfAskingWithoutOvertaking) {
  Simulator sim;
  Log log;
  Pool pool(sim, "slots", 4);
  const auto use = [](Simulator& s, Pool& p, Log& l, std::string name, std::int64_t units) -> Task<> {
    const Grant grant = co_await p.acquire(units);
    l.push_back(name + "@" + std::to_string(s.now().ps()));
    co_await s.delay(picoseconds(10));
    p.release(grant);
  };
  sim.spawn("a", use(sim, pool, log, "a", 3));
  sim.spawn("large", use(sim, pool, log, "large", 4));
  sim.spawn("small", use(sim, pool, log, "small", 1));
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(log, (Log{"a@0", "large@10", "small@20"}));
  EXPECT_EQ(pool.free_units(), 4);
}

TEST(Pool, WhatCanNeverBeGrantedOrWasNeverGrantedIsOurMistake) {
  Simulator sim;
  Pool pool(sim, "slots", 4);
  EXPECT_THROW(pool.acquire(5), InternalError);
  EXPECT_THROW(pool.acquire(0), InternalError);
  EXPECT_THROW(pool.release(Grant{.number = 1, .units = 1}), InternalError);
}

}  // namespace
}  // namespace mlosim::event
