#include "sim/net/faults.hpp"

#include <gtest/gtest.h>

#include "sim/net/collective.hpp"
#include "tests/unit/sim/net/nodes.hpp"

namespace mlosim::net {
namespace {

using work::Collective;
using work::CollectiveKind;

spec::SystemSpec with_fault(spec::SystemSpec system, const std::string& link, double bandwidth) {
  system.scale_out = spec::ScaleOut{};
  system.scale_out->bandwidth = BytesPerSecond(50e9);
  system.scale_out->latency = Seconds(1e-6);
  if (!link.empty()) system.scale_out->faults = {{link, BytesPerSecond(bandwidth)}};
  return system;
}

constexpr Collective kGradients{
    .kind = CollectiveKind::all_reduce, .bytes = Bytes(1e9), .ranks = 4, .dtype = work::DType::bf16, .stride = 8};

TEST(Faults, ASlowAdapterSlowsTheWholeGroup) {
  const spec::SystemSpec slow = with_fault(h100_node(), "node3.nic2", 25e9);
  const FaultCost cost = cost_of_faults(kGradients, slow);
  EXPECT_NEAR(cost.time.si(), 1.5e9 / 25e9 - 1.5e9 / 50e9, 1e-4);
  EXPECT_TRUE(cost.bottleneck.starts_with("node3.nic2")) << cost.bottleneck;
  const CollectivePrice price = estimate_collective(kGradients, slow, nullptr);
  EXPECT_EQ(price.bottleneck, cost.bottleneck);
  EXPECT_GT(price.time, estimate_collective(kGradients, with_fault(h100_node(), "", 0), nullptr).time);
}

TEST(Faults, AFailedAdapterIsReplacedByANeighbours) {
  const FaultCost cost = cost_of_faults(kGradients, with_fault(h100_node(), "node3.nic2", 0));
  EXPECT_NEAR(cost.time.si(), 1.5e9 / 25e9 - 1.5e9 / 50e9, 2e-3);  // two ranks on one adapter
}

TEST(Faults, AGroupInANodeFeelsASlowLinkOfAnyNode) {
  const Collective tensor{.kind = CollectiveKind::all_gather, .bytes = Bytes(1e9), .ranks = 8};
  const FaultCost cost = cost_of_faults(tensor, with_fault(h100_node(), "node2.link5", 225e9));
  EXPECT_NEAR(cost.time.si(), 7.0 / 8 * 1e9 * (1 / 225e9 - 1 / 450e9), 1e-4);
}

TEST(Faults, AFaultOfWhatIsNotUsedCostsNothing) {
  const Collective tensor{.kind = CollectiveKind::all_gather, .bytes = Bytes(1e9), .ranks = 8};
  const FaultCost cost = cost_of_faults(tensor, with_fault(h100_node(), "node0.nic5", 1e9));
  EXPECT_EQ(cost.time, Seconds());
  EXPECT_TRUE(cost.bottleneck.empty());
}

TEST(Faults, AFailedLinkOfATorusCostsItsDetour) {
  const Collective gather{.kind = CollectiveKind::all_gather, .bytes = Bytes(1e9), .ranks = 256};
  const FaultCost cost = cost_of_faults(gather, with_fault(tpu_v5e_pod(), "pod0.chip5.x", 0));
  EXPECT_GT(cost.time, Seconds(1e-4));
}

}  // namespace
}  // namespace mlosim::net
