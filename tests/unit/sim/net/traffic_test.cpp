#include "sim/net/traffic.hpp"

#include <gtest/gtest.h>

namespace mlosim::net {
namespace {

using work::Collective;
using work::CollectiveKind;

RingTraffic traffic(CollectiveKind kind, double bytes, std::int64_t ranks) {
  return ring_traffic({.kind = kind, .bytes = Bytes(bytes), .ranks = ranks});
}

TEST(Traffic, AnAllReduceOnARingSendsTwiceAllButOneShareInTwiceAllButOneSteps) {
  const RingTraffic t = traffic(CollectiveKind::all_reduce, 800, 8);
  EXPECT_EQ(t.steps, 14);
  EXPECT_EQ(t.sent.si(), 1400);
  EXPECT_EQ(t.chunk.si(), 100);
  EXPECT_EQ(t.local.si(), 100);
}

TEST(Traffic, AnAllReduceIsAReduceScatterAndAnAllGather) {
  for (std::int64_t n = 2; n <= 64; ++n) {
    const RingTraffic scatter = traffic(CollectiveKind::reduce_scatter, 1e6, n);
    const RingTraffic gather = traffic(CollectiveKind::all_gather, 1e6, n);
    const RingTraffic reduce = traffic(CollectiveKind::all_reduce, 1e6, n);
    EXPECT_DOUBLE_EQ((scatter.sent + gather.sent).si(), reduce.sent.si()) << n;
    EXPECT_EQ(scatter.steps + gather.steps, reduce.steps) << n;
  }
}

TEST(Traffic, ASwitchThatReducesSparesNoMoreThanOnePassOfAnAllReduce) {
  const Collective reduce{.kind = CollectiveKind::all_reduce, .bytes = Bytes(800), .ranks = 8};
  EXPECT_EQ(least_traffic(reduce, false).si(), 1400);
  EXPECT_EQ(least_traffic(reduce, true).si(), 800);
  const Collective gather{.kind = CollectiveKind::all_gather, .bytes = Bytes(800), .ranks = 8};
  EXPECT_EQ(least_traffic(gather, true), least_traffic(gather, false));
}

TEST(Traffic, ABroadcastAndASendMoveTheWholeBuffer) {
  EXPECT_EQ(traffic(CollectiveKind::broadcast, 800, 8).sent.si(), 800);
  EXPECT_EQ(traffic(CollectiveKind::p2p, 800, 2).sent.si(), 800);
}

}  // namespace
}  // namespace mlosim::net
