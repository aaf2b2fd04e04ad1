// Collectives across nodes, domains and pods on the repository's own systems: published figures, and what must hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/net/collective.hpp"
#include "sim/spec/hardware.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::net {
namespace {

using work::CollectiveKind;

spec::SystemSpec system_of(const std::string& name) {
  std::vector<std::string> warnings;
  return spec::require_hardware(spec::Library({support::source_dir().string()}), name, {}, warnings).system;
}

CollectivePrice price(const spec::SystemSpec& system, CollectiveKind kind, double bytes, std::int64_t ranks,
                      std::int64_t stride = 1, double crossing = 1) {
  return estimate_collective(
      {.kind = kind, .bytes = Bytes(bytes), .ranks = ranks, .stride = stride, .crossing = crossing}, system, nullptr);
}

double all_reduce_bus(const spec::SystemSpec& system, double bytes, std::int64_t ranks, std::int64_t stride = 1) {
  const auto n = static_cast<double>(ranks);
  return 2 * (n - 1) / n * bytes / price(system, CollectiveKind::all_reduce, bytes, ranks, stride).time.si() / 1e9;
}

TEST(Across, BusBandwidthsAreThoseThatWereMeasured) {
  const double bytes = 16 * 1073741824.0;
  EXPECT_NEAR(all_reduce_bus(system_of("dgx_b200"), bytes, 32), 382, 8);
  EXPECT_NEAR(all_reduce_bus(system_of("mi300x_8"), bytes, 16), 357, 25);
  const spec::SystemSpec nvl72 = system_of("gb200_nvl72");
  EXPECT_NEAR(all_reduce_bus(nvl72, bytes, 16, 8), 691, 35);  // eight in each of two domains
  EXPECT_NEAR(all_reduce_bus(nvl72, bytes, 64, 2), 798, 40);  // 32 in each
  const double gather = 15.0 / 16 * bytes / price(nvl72, CollectiveKind::all_gather, bytes, 16, 8).time.si() / 1e9;
  EXPECT_NEAR(gather, 378, 20);
}

TEST(Across, ASendBetweenNodesTakesWhatWasMeasured) {
  const CollectivePrice p = price(system_of("dgx_h100"), CollectiveKind::p2p, 57540608, 2, 8);
  EXPECT_NEAR(p.time.si() * 1e6, 1610, 50);
  EXPECT_NEAR(price(system_of("dgx_h100"), CollectiveKind::p2p, 1e3, 2, 8).time.si() * 1e6, 20.4, 4);
}

TEST(Across, PodsOnTheDataCentreNetworkReduceAsMeasured) {
  // MaxText, 32B on v5e: a step more of 0.39 s with two slices; 0.257 GB of bf16 gradients a chip.
  EXPECT_NEAR(price(system_of("tpu_v5e_pod"), CollectiveKind::all_reduce, 0.2575e9, 2, 256).time.si(), 0.39, 0.02);
}

TEST(Across, AGroupUsesTheAdaptersOfAllItsRanksInANode) {
  const spec::SystemSpec node = system_of("dgx_a100");
  const double whole = price(node, CollectiveKind::all_gather, 1e9, 64).time.si();
  const double half = price(node, CollectiveKind::all_gather, 1e9, 32, 2).time.si();
  const double one = price(node, CollectiveKind::all_gather, 1e9, 8, 8).time.si();
  EXPECT_NEAR(half / whole, 2, 0.15);
  EXPECT_NEAR(one / whole, 7.4, 0.6);
}

TEST(Across, ATokenThatCrossesOnceTakesLessThanACopyForEachExpert) {
  const spec::SystemSpec node = system_of("dgx_h100");
  const double all = price(node, CollectiveKind::all_to_all, 1e9, 64).time.si();
  EXPECT_NEAR(price(node, CollectiveKind::all_to_all, 1e9, 64, 1, 0.5).time.si() / all, 0.5, 0.02);
}

TEST(Across, SwitchesThatReduceSpareAPass) {
  spec::SystemSpec node = system_of("dgx_h100");
  node.scale_out->efficiency = 0.5;  // the adapters bind
  const CollectivePrice tree = price(node, CollectiveKind::all_reduce, 4e9, 256);
  node.scale_out->reduces_in_switch = true;
  const CollectivePrice sharp = price(node, CollectiveKind::all_reduce, 4e9, 256);
  EXPECT_EQ(tree.algorithm, "NVLS tree");
  EXPECT_EQ(sharp.algorithm, "NVLS SHARP");
  EXPECT_NEAR(tree.time / sharp.time, 2, 0.1);
}

TEST(Across, AnOversubscribedFatTreeSlowsWhatLeavesItsLeaves) {
  spec::SystemSpec node = system_of("dgx_h100");
  const Seconds before = price(node, CollectiveKind::all_to_all, 1e9, 1024).time;
  const Seconds ring = price(node, CollectiveKind::all_gather, 1e9, 1024).time;
  node.scale_out->oversubscription = 4;
  EXPECT_NEAR(price(node, CollectiveKind::all_to_all, 1e9, 1024).time / before, 4 * (128.0 - 32) / 127, 0.1);
  EXPECT_EQ(price(node, CollectiveKind::all_gather, 1e9, 1024).time, ring);  // one node of a leaf sends out of it
  EXPECT_NEAR(price(node, CollectiveKind::all_gather, 1e9, 8, 512).time /
                  price(system_of("dgx_h100"), CollectiveKind::all_gather, 1e9, 8, 512).time,
              4, 0.1);
}

TEST(Across, AStrideLeavesAGroupWholeAxesOfATorus) {
  const spec::SystemSpec pod = system_of("tpu_v5e_pod");
  // One of two axes: a ring of 16.
  const double one_axis = 1e9 * 15 / 16 / (2 * 50e9 * pod.fabric.efficiency);
  EXPECT_NEAR(price(pod, CollectiveKind::all_gather, 1e9, 16, 16).time.si(), one_axis, 0.01 * one_axis);
}

}  // namespace
}  // namespace mlosim::net
