#include "sim/net/kernel_footprint.hpp"

#include <gtest/gtest.h>

#include "sim/net/collective.hpp"
#include "tests/unit/sim/net/nodes.hpp"

namespace mlosim::net {
namespace {

using spec::NcclAlgorithm;
using spec::NcclProtocol;
using work::CollectiveKind;

const spec::NcclLaunch kLaunch{
    .ctas_per_ring = 2, .threads = 512, .thread_bytes = {.ll = Bytes(8), .ll128 = Bytes(8), .simple = Bytes(64)}};

spec::NcclGeneration generation() {
  spec::NcclGeneration g;
  g.channels = 12;
  g.nvls.emplace();
  g.nvls->channels = 16;
  return g;
}

std::int64_t ctas(NcclAlgorithm algorithm, NcclProtocol protocol, double bytes) {
  return ctas_of({.algorithm = algorithm, .protocol = protocol},
                 {.kind = CollectiveKind::all_reduce, .bytes = Bytes(bytes), .ranks = 8}, kLaunch, generation());
}

TEST(KernelFootprint, ALargeCollectiveRunsOnAllChannels) {
  EXPECT_EQ(ctas(NcclAlgorithm::ring, NcclProtocol::simple, 1e9), 24);
  EXPECT_EQ(ctas(NcclAlgorithm::nvls, NcclProtocol::simple, 1e9), 16);
}

// 24 channels of 512 threads of 64 bytes are 786,432 bytes.
TEST(KernelFootprint, ASmallCollectiveRunsOnAsManyAsItFills) {
  EXPECT_EQ(ctas(NcclAlgorithm::ring, NcclProtocol::simple, 786'432), 24);
  EXPECT_EQ(ctas(NcclAlgorithm::ring, NcclProtocol::simple, 786'431), 23);
  EXPECT_EQ(ctas(NcclAlgorithm::ring, NcclProtocol::ll, 65'536), 2);  // 8 bytes a thread for each of 8 ranks
  EXPECT_EQ(ctas(NcclAlgorithm::ring, NcclProtocol::ll, 100), 1);
}

TEST(KernelFootprint, ARankReadsWhatItGivesAndWritesWhatItGets) {
  const work::Collective gather{.kind = CollectiveKind::all_gather, .bytes = Bytes(800), .ranks = 8};
  const KernelFootprint in_place = footprint_of(gather, Bytes(700), false, 3);
  EXPECT_EQ(in_place.ctas, 3);
  EXPECT_EQ(in_place.device_bytes, Bytes(900));
  EXPECT_EQ(in_place.cache_bytes, Bytes(900));
  const KernelFootprint buffered = footprint_of(gather, Bytes(700), true, 3);
  EXPECT_EQ(buffered.device_bytes, Bytes(1600));
  EXPECT_EQ(buffered.cache_bytes, Bytes(2300));
}

}  // namespace
}  // namespace mlosim::net
