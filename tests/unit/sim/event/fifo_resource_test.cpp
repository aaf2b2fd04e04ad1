#include "sim/event/fifo_resource.hpp"

#include <deque>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace mlosim::event {
namespace {

constexpr BytesPerSecond kBytePerPs{1e12};

struct Done : Event {
  Done() : Event([](Simulator& sim, Event& e) { static_cast<Done&>(e).at = sim.now(); }) {}
  std::optional<Time> at;
};

TEST(FifoResource, IsBusyOnePicosecondBeforeTheEndAndDoneAtIt) {
  Simulator sim;
  FifoResource link(sim, {.name = "link", .rate = kBytePerPs, .latency = picoseconds(50)});
  Done done;
  link.start(Bytes(1000), done);
  sim.run_until(Time(1049));
  EXPECT_FALSE(done.at);
  sim.run_until(Time(1050));
  EXPECT_EQ(done.at, Time(1050));
}

TEST(FifoResource, ServesInTheOrderOfArrivalAndLatencyHoldsNoServer) {
  Simulator sim;
  FifoResource link(sim, {.name = "link", .rate = kBytePerPs, .latency = picoseconds(50)});
  Done a, b;
  EXPECT_EQ(link.start(Bytes(1000), a), Time(1050));
  EXPECT_EQ(link.start(Bytes(10), b), Time(1060));
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(a.at, Time(1050));
  EXPECT_EQ(b.at, Time(1060));
}

TEST(FifoResource, SeveralServersServeAsManyAtATime) {
  Simulator sim;
  FifoResource engines(sim, {.name = "dma", .rate = kBytePerPs, .latency = Span(), .servers = 2});
  std::deque<Done> done(3);
  EXPECT_EQ(engines.start(Bytes(100), done[0]), Time(100));
  EXPECT_EQ(engines.start(Bytes(300), done[1]), Time(300));
  EXPECT_EQ(engines.start(Bytes(100), done[2]), Time(200));
  EXPECT_TRUE(sim.run().empty());
}

TEST(FifoResource, ShortTransfersAddUpWithoutRoundingLoss) {
  Simulator sim;
  FifoResource hbm(sim, {.name = "hbm", .rate = BytesPerSecond(4.8e12), .latency = Span()});
  std::deque<Done> done(48'000);
  Time last;
  for (Done& d : done) last = hbm.start(Bytes(128), d);  // 26.67 ps each
  EXPECT_EQ(last, Time(48'000 * 128 * 10 / 48));
  EXPECT_TRUE(sim.run().empty());
}

TEST(FifoResource, ANewRateHoldsForLaterTransfers) {
  Simulator sim;
  FifoResource link(sim, {.name = "link", .rate = kBytePerPs, .latency = Span()});
  Done a, b;
  EXPECT_EQ(link.start(Bytes(100), a), Time(100));
  link.set_rate(kBytePerPs * 0.5);
  EXPECT_EQ(link.start(Bytes(100), b), Time(300));
  EXPECT_TRUE(sim.run().empty());
}

TEST(FifoResource, ProcessesAwaitTransfers) {
  Simulator sim;
  FifoResource link(sim, {.name = "link", .rate = kBytePerPs, .latency = picoseconds(5)});
  sim.spawn("sender", [](FifoResource& l) -> Task<> {
    co_await l.transfer(Bytes(100));
    co_await l.transfer(Bytes(0));
  }(link));
  EXPECT_TRUE(sim.run().empty());
  EXPECT_EQ(sim.now(), Time(110));
}

struct Transfers : Observer<TransferFact> {
  void observe(const TransferFact& fact) override { seen.push_back(fact); }
  std::vector<TransferFact> seen;
};
struct Stalls : Observer<StallFact> {
  void observe(const StallFact& fact) override { seen.push_back(fact); }
  std::vector<StallFact> seen;
};

TEST(FifoResource, TellsItsObserversOfTransfersAndWaits) {
  Simulator sim;
  FifoResource link(sim,
                    {.name = "dma 0", .rate = kBytePerPs, .latency = picoseconds(5), .when_busy = StallReason::slot});
  Transfers transfers;
  Stalls stalls;
  link.transfer_facts().attach(transfers);
  link.stall_facts().attach(stalls);
  Done a, b;
  link.start(Bytes(100), a);
  link.start(Bytes(30), b);
  ASSERT_EQ(transfers.seen.size(), 2u);
  EXPECT_EQ(transfers.seen[1].started, Time(100));
  EXPECT_EQ(transfers.seen[1].finished, Time(135));
  EXPECT_EQ(transfers.seen[1].bytes, Bytes(30));
  ASSERT_EQ(stalls.seen.size(), 1u);
  EXPECT_EQ(stalls.seen[0].reason, StallReason::slot);
  EXPECT_EQ(stalls.seen[0].until - stalls.seen[0].from, picoseconds(100));
  EXPECT_TRUE(sim.run().empty());
}

}  // namespace
}  // namespace mlosim::event
