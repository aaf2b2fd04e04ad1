#include "sim/event/stall_report.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/event/fair_resource.hpp"
#include "sim/event/pool.hpp"
#include "sim/event/signal.hpp"
#include "sim/event/simulator.hpp"

namespace mlosim::event {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Task<> take_both(Simulator& sim, Pool& first, Pool& second) {
  const Grant one = co_await first.acquire();
  co_await sim.delay(picoseconds(10));
  const Grant two = co_await second.acquire();
  first.release(one);
  second.release(two);
}

TEST(StallReport, NamesAWaitCycleThroughPools) {
  Simulator sim;
  Pool left(sim, "left", 1), right(sim, "right", 1);
  sim.spawn("a", take_both(sim, left, right));
  sim.spawn("b", take_both(sim, right, left));
  const StallReport report = sim.run();
  ASSERT_EQ(report.waiting.size(), 2u);
  EXPECT_EQ(report.waiting[0].on, "right");
  EXPECT_THAT(report.waiting[0].held_by, ElementsAre("b"));
  EXPECT_THAT(report.cycles, ElementsAre(ElementsAre("a", "b")));
  EXPECT_EQ(render_stall_report(report),
            "run ended at 10 ps with 2 processes waiting\n"
            "  a waits since 10 ps on pool \"right\", held by b\n"
            "  b waits since 10 ps on pool \"left\", held by a\n"
            "wait cycle: a -> b -> a\n");
}

TEST(StallReport, NamesASignalThatIsNeverRaisedAndThoseBehindIt) {
  Simulator sim;
  Signal done(sim, "all-reduce done");
  const Process waiter = sim.spawn("rank 0", [](Signal& s) -> Task<> { co_await s; }(done));
  sim.spawn("main", [](Process p) -> Task<> { co_await p; }(waiter));
  const StallReport report = sim.run();
  EXPECT_EQ(render_stall_report(report),
            "run ended at 0 ps with 2 processes waiting\n"
            "  rank 0 waits since 0 ps on signal \"all-reduce done\"\n"
            "  main waits since 0 ps on process \"rank 0\", held by rank 0\n");
  EXPECT_THAT(report.cycles, IsEmpty());
}

TEST(StallReport, FollowsTheProcessThatASignalIsExpectedFrom) {
  Simulator sim;
  Signal ping(sim, "ping"), pong(sim, "pong");
  const auto wait = [](Signal& s) -> Task<> { co_await s; };
  const Process a = sim.spawn("a", wait(ping));
  const Process b = sim.spawn("b", wait(pong));
  ping.expect_from(b);
  pong.expect_from(a);
  EXPECT_THAT(sim.run().cycles, ElementsAre(ElementsAre("a", "b")));
}

TEST(StallReport, AProcessThatHasFailedToReleaseIsStillNamed) {
  Simulator sim;
  Pool pool(sim, "slots", 1);
  sim.spawn("leaver", [](Pool& p) -> Task<> { static_cast<void>(co_await p.acquire()); }(pool));
  sim.spawn("waiter", [](Pool& p) -> Task<> { p.release(co_await p.acquire()); }(pool));
  const StallReport report = sim.run();
  ASSERT_EQ(report.waiting.size(), 1u);
  EXPECT_THAT(report.waiting[0].held_by, ElementsAre("leaver"));
  EXPECT_THAT(report.cycles, IsEmpty());
}

TEST(StallReport, ATransferOverADeadLinkIsAWait) {
  Simulator sim;
  FairResource link(sim, {.name = "nvlink 3", .rate = BytesPerSecond(0)});
  sim.spawn("sender", [](FairResource& l) -> Task<> { co_await l.transfer(Bytes(1)); }(link));
  const StallReport report = sim.run();
  ASSERT_EQ(report.waiting.size(), 1u);
  EXPECT_EQ(report.waiting[0].kind, "transfer");
  EXPECT_EQ(report.waiting[0].on, "nvlink 3");
}

TEST(StallReport, IsEmptyWhenAllHasEnded) {
  Simulator sim;
  sim.spawn("a", [](Simulator& s) -> Task<> { co_await s.delay(picoseconds(1)); }(sim));
  EXPECT_EQ(render_stall_report(sim.run()), "");
}

}  // namespace
}  // namespace mlosim::event
