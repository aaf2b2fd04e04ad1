#include "sim/net/send_receive.hpp"

#include <gtest/gtest.h>

#include "tests/unit/sim/net/nodes.hpp"

namespace mlosim::net {
namespace {

class SendReceiveTest : public testing::Test {
 protected:
  // Of `message` bytes for each of 7 peers of an H100.
  static double microseconds(double message, const spec::RingLibrary& library) {
    const spec::SystemSpec node = h100_node();
    const NcclPlace place{.library = library,
                          .generation = library.generation_of(node.chip.family),
                          .link = node.fabric.bandwidth,
                          .memory_latency = node.chip.device_memory().latency,
                          .clock = node.chip.clock};
    const work::Collective all_to_all{
        .kind = work::CollectiveKind::all_to_all, .bytes = Bytes(8 * message), .ranks = 8};
    return estimate_all_to_all(all_to_all, place).si() * 1e6;
  }

  const spec::RingLibrary newest_ = *read_library("nccl").ring;
  const spec::RingLibrary older_ = *read_library("nccl", "2.27").ring;
};

TEST_F(SendReceiveTest, OlderVersionsStayWithLlUpToWhatAllChannelsCarry) {
  // 512 KiB are 32 channels of 16 KiB: LL moves them slowly, and a message of twice the size takes hardly longer.
  EXPECT_GT(microseconds(512 * 1024, older_), 1.3 * microseconds(512 * 1024, newest_));
  EXPECT_LT(microseconds(1024 * 1024, older_), 1.15 * microseconds(512 * 1024, older_));
}

TEST_F(SendReceiveTest, NewerVersionsLeaveLlWhereOneChannelIsFull) {
  EXPECT_LT(microseconds(64 * 1024, older_), microseconds(64 * 1024, newest_));
  // One channel of Simple until a second one opens at 64 KiB, and flat until the last one has.
  EXPECT_LT(microseconds(128 * 1024, newest_), 1.1 * microseconds(64 * 1024, newest_));
}

TEST_F(SendReceiveTest, LongMessagesAreBoundByTheLink) {
  const double bytes = 64 * 1048576.0;
  EXPECT_NEAR(7 * bytes / (microseconds(bytes, newest_) * 1e-6) / 450e9, 0.70, 0.03);
}

TEST_F(SendReceiveTest, TimeGrowsWithBytesButForTheStepToSimple) {
  for (const spec::RingLibrary& library : {newest_, older_}) {
    for (double bytes = 8; bytes < 1e9; bytes *= 1.7)
      EXPECT_LE(microseconds(bytes, library), 1.02 * microseconds(2 * bytes, library)) << bytes;
  }
}

}  // namespace
}  // namespace mlosim::net
