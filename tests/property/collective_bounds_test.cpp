// No collective is faster than its adapters, its links, the cut through the middle of the network, or a message's way;
// on every system of the library, every kind, any number of ranks and stride.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sim/net/collective.hpp"
#include "sim/net/group_layout.hpp"
#include "sim/spec/diagnostics.hpp"
#include "sim/spec/hardware.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::property {
namespace {

using work::Collective;
using work::CollectiveKind;

constexpr CollectiveKind kKinds[] = {CollectiveKind::all_reduce,     CollectiveKind::all_gather,
                                     CollectiveKind::reduce_scatter, CollectiveKind::all_to_all,
                                     CollectiveKind::broadcast,      CollectiveKind::p2p};

spec::ScaleOut network_of(spec::ScaleOutTopology topology) {
  spec::ScaleOut out;
  out.topology = topology;
  out.bandwidth = BytesPerSecond(50e9);
  out.latency = Seconds(1e-6);
  out.hop_latency = Seconds(0.3e-6);
  out.oversubscription = 2;
  out.nodes_per_leaf = 4;
  out.radix = 12;
  out.nodes = 512;
  out.dimensions = {8, 8, 8};
  return out;
}

std::vector<spec::SystemSpec> systems() {
  std::vector<spec::SystemSpec> list;
  const spec::Library library({support::source_dir().string()});
  for (const std::string& name : library.names(spec::Shelf::systems)) {
    std::vector<std::string> warnings;
    list.push_back(spec::require_hardware(library, name, {}, warnings).system);
  }
  std::vector<std::string> warnings;
  const spec::SystemSpec node = spec::require_hardware(library, "dgx_h100", {}, warnings).system;
  for (const auto topology :
       {spec::ScaleOutTopology::switched, spec::ScaleOutTopology::fat_tree, spec::ScaleOutTopology::full,
        spec::ScaleOutTopology::ring, spec::ScaleOutTopology::torus}) {
    list.push_back(node);
    list.back().name = fmt::format("dgx_h100 on topology {}", static_cast<int>(topology));
    list.back().scale_out = network_of(topology);
  }
  return list;
}

template <class Check>
void for_each_case(const Check& check) {
  for (const spec::SystemSpec& system : systems()) {
    for (const CollectiveKind kind : kKinds) {
      for (const std::int64_t ranks : {2, 3, 6, 8, 12, 16, 64, 100, 256, 1024, 4096}) {
        for (const std::int64_t stride : {1, 2, 8, 16, 72, 256}) {
          for (const double bytes : {1.0, 1e4, 1e7, 1e10}) {
            const Collective c{.kind = kind, .bytes = Bytes(bytes), .ranks = ranks, .stride = stride};
            try {
              const net::CollectivePrice price = net::estimate_collective(c, system, nullptr);
              check(system, c, price,
                    fmt::format("{}: {} of {} B, {} ranks, {} apart", system.name, work::name_of(kind), bytes, ranks,
                                stride));
            } catch (const spec::InputError&) {  // does not tile, or no slice
            }
          }
        }
      }
    }
  }
}

TEST(CollectiveBounds, NoPriceIsBelowItsBoundOrEndless) {
  std::int64_t cases = 0;
  for_each_case([&](const auto&, const Collective&, const net::CollectivePrice& price, const std::string& name) {
    ++cases;
    ASSERT_TRUE(std::isfinite(price.time.si()) && price.bound > Seconds(0)) << name;
    ASSERT_GE(price.time, price.bound) << name;
  });
  EXPECT_GT(cases, 10000);
}

TEST(CollectiveBounds, NoAdapterCarriesMoreThanItsBandwidth) {
  for_each_case([](const spec::SystemSpec& system, const Collective& c, const net::CollectivePrice& price,
                   const std::string& name) {
    const net::GroupLayout layout = net::place_group(c, system);
    if (layout.nodes == 1) return;
    const auto nodes = static_cast<double>(layout.nodes);
    double passes = 1;  // of what a node must hear of the others
    if (c.kind == CollectiveKind::all_reduce) passes = 2;
    if (c.kind == CollectiveKind::broadcast || c.kind == CollectiveKind::p2p) passes = nodes / (nodes - 1);
    const double adapters = c.kind == CollectiveKind::all_to_all || c.kind == CollectiveKind::p2p
                                ? 1
                                : static_cast<double>(layout.per_node);
    const Seconds least = passes * (nodes - 1) / nodes * c.bytes / (adapters * system.scale_out->bandwidth);
    ASSERT_GE(price.time.si(), least.si() * (1 - 1e-12)) << name;
    ASSERT_GE(price.time, system.scale_out->latency) << name;
  });
}

// Half of the group's nodes exchange with the other half over what the network has between them.
TEST(CollectiveBounds, AnAllToAllIsNotFasterThanTheCutThroughTheMiddle) {
  for_each_case([](const spec::SystemSpec& system, const Collective& c, const net::CollectivePrice& price,
                   const std::string& name) {
    if (c.kind != CollectiveKind::all_to_all) return;
    const net::GroupLayout layout = net::place_group(c, system);
    if (layout.nodes == 1 || layout.nodes % 2 != 0) return;
    const spec::ScaleOut& network = *system.scale_out;
    // All chips of the nodes take part, in groups side by side.
    const double nodes = static_cast<double>(layout.nodes * layout.node_step);
    const double chips = nodes * static_cast<double>(system.fabric.chips);
    const double busy = static_cast<double>(layout.per_node > 1 ? layout.per_node * c.stride : system.fabric.chips) /
                        static_cast<double>(system.fabric.chips);
    const Bytes across = chips * busy / 4 * c.bytes;  // half of the chips, half of their bytes
    const BytesPerSecond adapters = static_cast<double>(system.fabric.chips) * network.bandwidth;
    BytesPerSecond cut = nodes / 2 * adapters;
    if (network.topology == spec::ScaleOutTopology::fat_tree &&
        layout.nodes * layout.node_step >= 2 * network.nodes_per_leaf)
      cut /= network.oversubscription;
    if (network.topology == spec::ScaleOutTopology::ring) cut = 2 * adapters / 2;
    if (network.topology == spec::ScaleOutTopology::full)
      cut = nodes * nodes / 4 * adapters / static_cast<double>(network.nodes - 1);
    ASSERT_GE(price.time.si(), across.si() / cut.si() * (1 - 1e-12)) << name;
  });
}

}  // namespace
}  // namespace mlosim::property
