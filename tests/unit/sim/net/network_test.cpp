#include "sim/net/network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/net/build_network.hpp"
#include "sim/spec/diagnostics.hpp"
#include "tests/unit/sim/net/nodes.hpp"

namespace mlosim::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Network ring(std::uint32_t n) {
  Network network;
  for (std::uint32_t i = 0; i < n; ++i) network.add_vertex(i);
  for (std::uint32_t i = 0; i < n; ++i)
    network.add_links(i, (i + 1) % n, BytesPerSecond(50e9), Seconds(1e-6), "link" + std::to_string(i));
  return network;
}

std::vector<std::string> names(const Network& network, const Path& path) {
  std::vector<std::string> list;
  for (const std::uint32_t link : path) list.push_back(network.links()[link].name);
  return list;
}

spec::SystemSpec cluster(spec::ScaleOutTopology topology) {
  spec::SystemSpec system = h100_node();
  spec::ScaleOut& out = system.scale_out.emplace();
  out.topology = topology;
  out.bandwidth = BytesPerSecond(50e9);
  out.latency = Seconds(1e-6);
  out.hop_latency = Seconds(0.3e-6);
  out.nodes_per_leaf = 2;
  out.radix = 4;
  out.rails = 8;
  out.nodes = 4;
  out.dimensions = {2, 2};
  return system;
}

TEST(Network, TakesTheShorterWay) {
  const Network network = ring(8);
  const std::vector<Path> paths = network.routes({{0, 2}, {0, 6}});
  EXPECT_THAT(names(network, paths[0]), ElementsAre("link0", "link1"));
  EXPECT_THAT(names(network, paths[1]), ElementsAre("link7.back", "link6.back"));
}

TEST(Network, GoesAroundAFailedLink) {
  Network network = ring(4);
  ASSERT_TRUE(network.set_bandwidth("link0", BytesPerSecond(0)));
  EXPECT_THAT(names(network, network.routes({{0, 1}})[0]), ElementsAre("link3.back", "link2.back", "link1.back"));
}

TEST(Network, SaysThatChipsAreCutOff) {
  Network network = ring(4);
  network.set_bandwidth("link0", BytesPerSecond(0));
  network.set_bandwidth("link3", BytesPerSecond(0));
  EXPECT_THROW(network.routes({{0, 1}}), spec::InputError);
}

TEST(Network, RailsKeepNeighboursBelowOneSwitch) {
  const Network network = build_network(cluster(spec::ScaleOutTopology::fat_tree), 32);
  const std::vector<Path> paths = network.routes({{2, 10}, {10, 18}, {2, 11}});
  EXPECT_THAT(names(network, paths[0]), ElementsAre("node0.nic2", "node1.nic2.back"));
  EXPECT_EQ(paths[1].size(), 4u);  // over a spine
  EXPECT_EQ(paths[2].size(), 4u);  // another rail
}

TEST(Network, EveryTopologyJoinsEveryPair) {
  for (const auto topology :
       {spec::ScaleOutTopology::switched, spec::ScaleOutTopology::fat_tree, spec::ScaleOutTopology::full,
        spec::ScaleOutTopology::ring, spec::ScaleOutTopology::torus, spec::ScaleOutTopology::dcn}) {
    const Network network = build_network(cluster(topology), 32);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
    for (std::uint32_t a = 0; a < 32; ++a)
      for (std::uint32_t b = 0; b < 32; ++b)
        if (a != b) pairs.emplace_back(a, b);
    for (const Path& path : network.routes(pairs)) EXPECT_FALSE(path.empty());
  }
}

TEST(Network, AFaultNamesALinkThatIsThere) {
  spec::SystemSpec system = cluster(spec::ScaleOutTopology::switched);
  system.scale_out->faults = {{"node1.nik3", BytesPerSecond(0)}};
  try {
    build_network(system, 16);
    FAIL();
  } catch (const spec::InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("has no link called 'node1.nik3'"));
  }
}

}  // namespace
}  // namespace mlosim::net
