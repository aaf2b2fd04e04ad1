#include "sim/net/faults.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

#include "sim/net/build_network.hpp"
#include "sim/net/group_layout.hpp"
#include "sim/net/play_collectives.hpp"
#include "sim/net/torus.hpp"

namespace mlosim::net {
namespace {

using work::Collective;
using work::CollectiveKind;

std::vector<std::uint32_t> chips_of_group(const Collective& c, const GroupLayout& layout, std::int64_t node_size,
                                          std::int64_t first_node, std::int64_t first_chip) {
  std::vector<std::uint32_t> chips;
  for (std::int64_t rank = 0; rank < c.ranks; ++rank) {
    const std::int64_t node = first_node + rank / layout.per_node * layout.node_step;
    chips.push_back(static_cast<std::uint32_t>(node * node_size + first_chip + rank % layout.per_node * c.stride));
  }
  return chips;
}

// The groups that tile `nodes` nodes.
std::vector<std::vector<std::uint32_t>> all_groups(const Collective& c, const GroupLayout& layout,
                                                   const spec::SystemSpec& system, std::int64_t nodes) {
  std::vector<std::vector<std::uint32_t>> groups;
  const std::int64_t node_size = system.fabric.chips;
  if (layout.nodes == 1) {
    const std::int64_t span = c.ranks * c.stride;
    for (std::int64_t node = 0; node < nodes; ++node)
      for (std::int64_t block = 0; block + span <= node_size; block += span)
        for (std::int64_t chip = 0; chip < c.stride; ++chip)
          groups.push_back(chips_of_group(c, layout, node_size, node, block + chip));
    return groups;
  }
  const std::int64_t side_by_side = layout.per_node > 1 ? c.stride : c.stride / layout.node_step;
  const std::int64_t span = layout.nodes * layout.node_step;
  for (std::int64_t block = 0; block + span <= nodes; block += span)
    for (std::int64_t node = 0; node < layout.node_step; ++node)
      for (std::int64_t chip = 0; chip < side_by_side; ++chip)
        groups.push_back(chips_of_group(c, layout, node_size, block + node, chip));
  return groups;
}

std::unique_ptr<Script> script_of(const Collective& c, const GroupLayout& layout, const spec::SystemSpec& system) {
  constexpr std::int64_t kMostDirect = 64;  // every rank has a message for every other
  if (c.kind == CollectiveKind::all_to_all && c.ranks <= kMostDirect) return direct_script(c);
  if (layout.nodes == 1 && system.fabric.topology == spec::Topology::torus && c.stride == 1) {
    std::vector<std::int64_t> sides;
    for (const SliceAxis& axis : slice_shape(system.fabric, c.ranks)) sides.push_back(axis.length);
    return torus_script(c, sides);
  }
  return hierarchical_script(c, layout.per_node);
}

// What rings make of a kind that is none of theirs.
Collective as_ring(Collective c) {
  if (c.kind == CollectiveKind::p2p) {
    c.bytes *= 2;
    c.ranks = 2;
  }
  if (c.kind == CollectiveKind::p2p || c.kind == CollectiveKind::broadcast) c.kind = CollectiveKind::all_gather;
  return c;
}

// Nodes that the groups and the faults reach.
std::int64_t nodes_reached(const GroupLayout& layout, const spec::ScaleOut& network) {
  const std::int64_t span = layout.nodes * layout.node_step;
  std::int64_t nodes = std::max<std::int64_t>(2, span);  // with one there would be no adapters
  for (const spec::LinkFault& fault : network.faults) {
    const std::string& name = fault.link;
    std::int64_t number = 0;
    if (name.starts_with("node")) std::from_chars(name.data() + 4, name.data() + name.size(), number);
    nodes = std::max(nodes, number + 1);
  }
  return (nodes + span - 1) / span * span;
}

}  // namespace

FaultCost cost_of_faults(const Collective& collective, const spec::SystemSpec& system) {
  const Collective c = as_ring(collective);
  const GroupLayout layout = place_group(c, system);
  const bool is_slice = system.fabric.topology == spec::Topology::torus && layout.nodes == 1;
  const std::int64_t nodes = is_slice ? 1 : nodes_reached(layout, *system.scale_out);
  const std::int64_t chips = is_slice ? c.ranks * c.stride : nodes * system.fabric.chips;
  spec::SystemSpec whole = system;
  whole.scale_out->faults.clear();
  if (is_slice) whole.fabric.chips = chips;  // one group fills it, whatever else the pod holds
  spec::SystemSpec faulty = whole;
  faulty.scale_out->faults = system.scale_out->faults;

  const std::unique_ptr<Script> script = script_of(c, layout, system);
  std::vector<PlayedGroup> groups;
  for (std::vector<std::uint32_t>& members : all_groups(c, layout, whole, nodes))
    groups.push_back({.script = script.get(), .chips = std::move(members)});
  const auto play = [&](const spec::SystemSpec& on) {
    const Network network = build_network(on, chips);
    return Stage(network, groups).play(Folding::in_step);
  };
  const auto end_of = [](const Played& played) { return *std::max_element(played.ends.begin(), played.ends.end()); };
  const Played slow = play(faulty);
  const event::Span more = end_of(slow) - end_of(play(whole));
  if (more <= event::Span()) return {};
  return {.time = event::to_seconds(more), .bottleneck = slow.bottleneck};
}

}  // namespace mlosim::net
