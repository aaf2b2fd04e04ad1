// Collectives that are played on a network: on every topology and for any number of ranks none is faster than what its
// chips send and receive, than the cut through the middle, or than the way of its messages; none loses a message.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <numeric>

#include "sim/net/build_network.hpp"
#include "sim/net/play_collectives.hpp"
#include "tests/unit/sim/net/nodes.hpp"

namespace mlosim::property {
namespace {

using net::Network;
using net::Script;
using work::Collective;
using work::CollectiveKind;

struct Machine {
  std::string name;
  spec::SystemSpec system;
};

std::vector<Machine> machines() {
  std::vector<Machine> list;
  for (const auto topology :
       {spec::ScaleOutTopology::switched, spec::ScaleOutTopology::fat_tree, spec::ScaleOutTopology::full,
        spec::ScaleOutTopology::ring, spec::ScaleOutTopology::torus}) {
    spec::SystemSpec system = net::h100_node();
    spec::ScaleOut& out = system.scale_out.emplace();
    out.topology = topology;
    out.bandwidth = BytesPerSecond(50e9);
    out.latency = Seconds(1e-6);
    out.hop_latency = Seconds(0.3e-6);
    out.oversubscription = 2;
    out.nodes_per_leaf = 2;
    out.radix = 6;
    out.nodes = 8;
    out.dimensions = {4, 2};
    list.push_back({fmt::format("nodes on topology {}", static_cast<int>(topology)), system});
  }
  list.push_back({"xGMI", net::mi300x_node()});
  list.push_back({"torus", net::tpu_v4_pod()});
  list.push_back({"twisted torus", net::tpu_v4_pod()});
  list.back().system.fabric.twisted = true;
  return list;
}

std::vector<std::pair<std::string, std::unique_ptr<Script>>> scripts_of(const Collective& c) {
  std::vector<std::pair<std::string, std::unique_ptr<Script>>> list;
  list.emplace_back("direct", net::direct_script(c));
  if (c.kind == CollectiveKind::all_to_all) return list;
  list.emplace_back("ring", net::ring_script(c));
  if (c.ranks % 2 == 0) list.emplace_back("hierarchical", net::hierarchical_script(c, 2));
  if (std::has_single_bit(static_cast<std::uint64_t>(c.ranks)))
    list.emplace_back("halving-doubling", net::halving_doubling_script(c));
  if (c.kind == CollectiveKind::all_reduce) list.emplace_back("tree", net::tree_script(c));
  return list;
}

// Links into a chip together.
BytesPerSecond injection(const Network& network, std::uint32_t chip) {
  BytesPerSecond all;
  for (const net::Link& link : network.links())
    if (link.to == chip) all += link.bandwidth;
  return all;
}

// Links from the first half of the vertices that are chips to elsewhere: what the other half can hear of it.
BytesPerSecond out_of_half(const Network& network, std::uint32_t half) {
  BytesPerSecond all;
  for (const net::Link& link : network.links())
    if (link.from < half && link.to >= half) all += link.bandwidth;
  return all;
}

TEST(PlayedCollectives, AreNotFasterThanInjectionCutAndWay) {
  constexpr double kBytes = 1e8;
  for (const Machine& machine : machines()) {
    for (const std::int64_t ranks : {2, 5, 8, 32, 64}) {
      if (ranks > 8 && machine.name == "xGMI") continue;
      if (ranks == 5 && machine.system.fabric.topology == spec::Topology::torus) continue;
      const Network network = net::build_network(machine.system, ranks);
      const auto n = static_cast<double>(ranks);
      std::vector<std::uint32_t> chips(static_cast<std::size_t>(ranks));
      std::iota(chips.begin(), chips.end(), 0);
      for (const CollectiveKind kind : {CollectiveKind::all_reduce, CollectiveKind::all_gather,
                                        CollectiveKind::reduce_scatter, CollectiveKind::all_to_all}) {
        const Collective c{.kind = kind, .bytes = Bytes(kBytes), .ranks = ranks};
        for (const auto& [algorithm, script] : scripts_of(c)) {
          const std::string name =
              fmt::format("{} {} of {} on {}", algorithm, work::name_of(kind), ranks, machine.name);
          const net::Stage stage(network, {{.script = script.get(), .chips = chips}});
          const net::Played played = stage.play();
          const double seconds = static_cast<double>(played.ends.front().ps()) * 1e-12;
          const double heard = (kind == CollectiveKind::all_reduce ? 2 : 1) * (n - 1) / n * kBytes;
          EXPECT_GE(seconds, heard / injection(network, 0).si() * (1 - 1e-9)) << name;
          if (kind == CollectiveKind::all_to_all) {
            const auto half = static_cast<std::uint32_t>(ranks / 2);
            const double across = half * (n - half) / n * kBytes;
            EXPECT_GE(seconds, across / out_of_half(network, half).si() * (1 - 1e-9)) << name;
          }
          EXPECT_GT(played.messages, 0u) << name;
          EXPECT_FALSE(played.bottleneck.empty()) << name;
          if (ranks > 32) continue;
          const net::Played whole = stage.play(net::Folding::never);
          EXPECT_EQ(whole.messages, played.messages) << name;
          EXPECT_NEAR(static_cast<double>(whole.ends.front().ps()), seconds * 1e12, 1e-6 * seconds * 1e12) << name;
        }
      }
    }
  }
}

}  // namespace
}  // namespace mlosim::property
