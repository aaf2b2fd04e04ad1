#include "sim/net/build_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "sim/net/torus_places.hpp"
#include "sim/spec/diagnostics.hpp"

namespace mlosim::net {
namespace {

using spec::ScaleOutTopology;

constexpr std::array kAxes{"x", "y", "z", "u", "v", "w"};

// Nobody leaves a node, or passes through another's, who need not.
constexpr std::uint32_t kAdapterWeight = 100'000;

struct Torus {
  SliceShape shape;
  bool is_twisted = false;
  BytesPerSecond bandwidth;
  Seconds latency;
};

std::uint32_t u(std::int64_t n) { return static_cast<std::uint32_t>(n); }

// Joins `vertices`, the first axis fastest, to their next on each axis; `name` of a place and an axis.
template <class Name>
void join_torus(Network& network, const std::vector<std::uint32_t>& vertices, const Torus& torus, const Name& name) {
  for (std::size_t place = 0; place < vertices.size(); ++place) {
    for (std::size_t axis = 0; axis < torus.shape.size(); ++axis) {
      if (const auto next = next_place(torus.shape, torus.is_twisted, place, axis); next && *next != place)
        network.add_links(vertices[place], vertices[*next], torus.bandwidth, torus.latency, name(place, axis));
    }
  }
}

void add_node(Network& network, const spec::Fabric& fabric, std::int64_t node, std::int64_t chips) {
  const std::uint32_t first = u(node * fabric.chips);
  const BytesPerSecond bandwidth = fabric.efficiency * fabric.bandwidth;
  switch (fabric.topology) {
    case spec::Topology::none:
      break;
    case spec::Topology::switched: {
      const std::uint32_t hub = network.add_vertex();
      for (std::int64_t c = 0; c < chips; ++c)
        network.add_links(first + u(c), hub, bandwidth, fabric.latency / 2, fmt::format("node{}.link{}", node, c));
      break;
    }
    case spec::Topology::pcie: {
      const std::uint32_t host = network.add_vertex();
      for (std::int64_t c = 0; c < chips; ++c)
        network.add_links(first + u(c), host, std::min(bandwidth, fabric.shared_path.back().second), fabric.latency / 2,
                          fmt::format("node{}.path{}", node, c));
      break;
    }
    case spec::Topology::full:
      for (std::int64_t a = 0; a < chips; ++a)
        for (std::int64_t b = a + 1; b < chips; ++b)
          network.add_links(first + u(a), first + u(b), bandwidth / static_cast<double>(fabric.chips - 1),
                            fabric.latency, fmt::format("node{}.chip{}-chip{}", node, a, b));
      break;
    case spec::Topology::torus: {
      std::vector<std::uint32_t> members;
      for (std::int64_t c = 0; c < chips; ++c) members.push_back(first + u(c));
      const SliceShape shape = slice_shape(fabric, chips);
      join_torus(network, members, {shape, takes_twist(fabric, shape), bandwidth, fabric.latency},
                 [&](std::size_t c, std::size_t axis) { return fmt::format("pod{}.chip{}.{}", node, c, kAxes[axis]); });
      break;
    }
  }
}

// A switch for each rail and `nodes_per_leaf` nodes; each has a link to every spine.
void add_fat_tree(Network& network, const spec::ScaleOut& out, const spec::Fabric& fabric, std::int64_t nodes) {
  const std::int64_t leaves = (nodes + out.nodes_per_leaf - 1) / out.nodes_per_leaf;
  const std::int64_t spines =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(out.radix) / (1 + out.oversubscription)));
  // Adapters below a leaf, over its links up.
  const double adapters = static_cast<double>(out.nodes_per_leaf * fabric.chips) / static_cast<double>(out.rails);
  const BytesPerSecond up =
      out.efficiency * out.bandwidth * adapters / (out.oversubscription * static_cast<double>(spines));
  const std::uint32_t first_leaf = network.vertex_count();
  for (std::int64_t i = 0; i < leaves * out.rails; ++i) network.add_vertex();
  for (std::int64_t node = 0; node < nodes; ++node) {
    for (std::int64_t c = 0; c < fabric.chips; ++c) {
      const std::int64_t leaf = node / out.nodes_per_leaf * out.rails + c % out.rails;
      network.add_links(u(node * fabric.chips + c), first_leaf + u(leaf), out.efficiency * out.bandwidth,
                        out.latency / 2, fmt::format("node{}.nic{}", node, c), kAdapterWeight);
    }
  }
  if (leaves == 1 && out.rails == 1) return;
  for (std::int64_t spine = 0; spine < spines; ++spine) {
    const std::uint32_t top = network.add_vertex();
    for (std::int64_t leaf = 0; leaf < leaves * out.rails; ++leaf)
      network.add_links(first_leaf + u(leaf), top, up, out.hop_latency,
                        fmt::format("leaf{}.rail{}.up{}", leaf / out.rails, leaf % out.rails, spine));
  }
}

// Chips by their adapters to one vertex a node, which `join` joins.
template <class Join>
void add_routers(Network& network, const spec::ScaleOut& out, const spec::Fabric& fabric, std::int64_t nodes,
                 const Join& join) {
  std::vector<std::uint32_t> routers;
  for (std::int64_t node = 0; node < nodes; ++node) {
    routers.push_back(network.add_vertex(u(node)));
    for (std::int64_t c = 0; c < fabric.chips; ++c)
      network.add_links(u(node * fabric.chips + c), routers.back(), out.efficiency * out.bandwidth, Seconds(0),
                        fmt::format("node{}.nic{}", node, c), kAdapterWeight);
  }
  join(routers, static_cast<double>(fabric.chips) * out.efficiency * out.bandwidth);
}

void add_scale_out(Network& network, const spec::ScaleOut& out, const spec::Fabric& fabric, std::int64_t nodes) {
  switch (out.topology) {
    case ScaleOutTopology::switched:
    case ScaleOutTopology::dcn: {
      const std::uint32_t hub = network.add_vertex();
      for (std::int64_t chip = 0; chip < nodes * fabric.chips; ++chip)
        network.add_links(u(chip), hub, out.efficiency * out.bandwidth, out.latency / 2,
                          fmt::format("node{}.nic{}", chip / fabric.chips, chip % fabric.chips), kAdapterWeight);
      break;
    }
    case ScaleOutTopology::fat_tree:
      add_fat_tree(network, out, fabric, nodes);
      break;
    case ScaleOutTopology::full:
      add_routers(network, out, fabric, nodes, [&](const std::vector<std::uint32_t>& routers, BytesPerSecond all) {
        for (std::size_t a = 0; a < routers.size(); ++a)
          for (std::size_t b = a + 1; b < routers.size(); ++b)
            network.add_links(routers[a], routers[b], all / static_cast<double>(out.nodes - 1), out.latency,
                              fmt::format("node{}-node{}", a, b));
      });
      break;
    case ScaleOutTopology::ring:
    case ScaleOutTopology::torus: {
      SliceShape shape{{.length = nodes, .is_ring = true}};
      if (out.topology == ScaleOutTopology::torus) {
        spec::Fabric whole;
        whole.dimensions = out.dimensions;
        whole.wraparound = spec::Wraparound::whole_axis;
        shape = slice_shape(whole, nodes);
      }
      const double directions =
          out.topology == ScaleOutTopology::ring ? 2 : 2 * static_cast<double>(out.dimensions.size());
      add_routers(network, out, fabric, nodes, [&](const std::vector<std::uint32_t>& routers, BytesPerSecond all) {
        join_torus(network, routers, {shape, false, all / directions, out.latency},
                   [&](std::size_t node, std::size_t axis) { return fmt::format("node{}.{}", node, kAxes[axis]); });
      });
      break;
    }
  }
}

// 3 and 2 of "node3.nic2"; -1 where there is none.
std::array<std::int64_t, 2> numbers_of(const std::string& name) {
  std::array<std::int64_t, 2> numbers{-1, -1};
  const char* at = name.data();
  const char* const end = at + name.size();
  for (std::int64_t& number : numbers) {
    at = std::find_if(at, end, [](char c) { return c >= '0' && c <= '9'; });
    at = std::from_chars(at, end, number).ptr;
  }
  return numbers;
}

// Whether a link may be one of the part of the system that is not here.
bool is_elsewhere(const std::string& link, const spec::SystemSpec& system, std::int64_t nodes, std::int64_t chips) {
  const auto [unit, member] = numbers_of(link);
  if (link.starts_with("leaf")) return system.scale_out->topology == ScaleOutTopology::fat_tree;
  if (link.starts_with("pod")) return unit >= nodes || member >= chips;
  return link.starts_with("node") && (unit >= nodes || nodes == 1);
}

void apply_faults(Network& network, const spec::SystemSpec& system, std::int64_t nodes, std::int64_t chips) {
  for (const spec::LinkFault& fault : system.scale_out->faults) {
    if (network.set_bandwidth(fault.link, fault.bandwidth) || is_elsewhere(fault.link, system, nodes, chips)) continue;
    throw spec::InputError(fmt::format("{} has no link called '{}'", system.name, fault.link),
                           fmt::format("such as '{}'", network.links()[network.links().size() - 2].name));
  }
}

}  // namespace

Network build_network(const spec::SystemSpec& system, std::int64_t chips) {
  const std::int64_t per_node = system.fabric.chips;
  const std::int64_t nodes = (chips + per_node - 1) / per_node;
  const std::int64_t members = nodes > 1 ? nodes * per_node : chips;
  Network network;
  // The spread of a chip is its node's number: chips of one node and rail side by side take spines side by side.
  for (std::int64_t chip = 0; chip < members; ++chip) network.add_vertex(u(nodes > 1 ? chip / per_node : chip));
  for (std::int64_t node = 0; node < nodes; ++node) add_node(network, system.fabric, node, std::min(members, per_node));
  if (nodes > 1 && system.scale_out) add_scale_out(network, *system.scale_out, system.fabric, nodes);
  if (system.scale_out) apply_faults(network, system, nodes, members);
  return network;
}

}  // namespace mlosim::net
