#include "sim/spec/system_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace mlosim::spec {
namespace {

void decode_torus(Node& node, Fabric& fabric) {
  double product = 1;  // of any sides that were written: an integer might overflow
  for (const Node& side : node.child("dimensions").items()) {
    fabric.dimensions.push_back(side.as_count());
    product *= static_cast<double>(fabric.dimensions.back());
  }
  if (fabric.dimensions.empty()) {
    node.fail("key 'dimensions' is missing", "a torus needs the sides of its largest slice, such as [16, 16]");
  } else if (product != static_cast<double>(fabric.chips)) {
    node.fail_at("dimensions", fmt::format("the sides multiply to {}, but 'chips' is {}", product, fabric.chips));
  }
  fabric.wraparound = node.require_word<Wraparound>(
      "wraparound",
      {{"none", Wraparound::none}, {"cubes_of_4", Wraparound::cubes_of_4}, {"whole_axis", Wraparound::whole_axis}});
  fabric.twisted = node.flag_or("twisted", false);
  fabric.endpoint_latency = node.require<Seconds>("endpoint_latency", Range::non_negative);
}

// Sorted by ranks, whatever the file's order.
void decode_shared_path(Node node, Fabric& fabric) {
  for (auto& [ranks_text, bandwidth] : node.members()) {
    std::int64_t ranks = 0;
    const auto [end, error] = std::from_chars(ranks_text.data(), ranks_text.data() + ranks_text.size(), ranks);
    if (error != std::errc() || end != ranks_text.data() + ranks_text.size() || ranks < 2) {
      bandwidth.fail(fmt::format("'{}' is not a number of ranks", ranks_text), "write '8: 1.3 GB/s'");
      continue;
    }
    fabric.shared_path.emplace_back(ranks, bandwidth.as<BytesPerSecond>());
  }
  std::sort(fabric.shared_path.begin(), fabric.shared_path.end());
  if (fabric.shared_path.empty())
    node.fail("a pcie fabric needs the bandwidth of its shared path by number of ranks",
              "write {2: 18.9 GB/s, 8: 1.3 GB/s}");
}

Fabric decode_fabric(Node node) {
  Fabric fabric;
  if (!node.is_present()) return fabric;
  fabric.topology = node.require_word<Topology>(
      "topology",
      {{"switch", Topology::switched}, {"full", Topology::full}, {"pcie", Topology::pcie}, {"torus", Topology::torus}});
  fabric.chips = node.require_count("chips", 2);
  fabric.bandwidth = node.require<BytesPerSecond>("bandwidth");
  fabric.latency = node.require<Seconds>("latency");
  fabric.efficiency = node.number_or("efficiency", 1, Range::fraction);
  fabric.energy = node.value_or<JoulesPerByte>("energy", JoulesPerByte(0), Range::non_negative);
  if (fabric.topology == Topology::torus || fabric.topology == Topology::pcie) {
    fabric.collective_start = node.require<Seconds>("collective_start", Range::non_negative);
  }
  if (fabric.topology == Topology::torus) decode_torus(node, fabric);
  if (fabric.topology == Topology::pcie) decode_shared_path(node.require_mapping("shared_path"), fabric);
  node.finish();
  return fabric;
}

NodeSpec decode_node(Node node) {
  NodeSpec spec{.chips = node.require_count("chips"), .power = node.require<Watts>("power", Range::non_negative)};
  node.finish();
  return spec;
}

}  // namespace

SystemSpec decode_system(Node node) {
  SystemSpec system;
  node.expect_schema("mlosim/system/1");
  system.name = node.require_text("name");
  node.text_or("description", "");
  node.child("chip");
  system.fabric = decode_fabric(node.child("fabric"));
  system.nccl_name = node.text_or("collectives", "");
  const bool needs_library = system.fabric.topology == Topology::switched || system.fabric.topology == Topology::full;
  if (needs_library && system.nccl_name.empty())
    node.fail("key 'collectives' is missing", "name the library's file in hw_specs/families, such as 'nccl'");
  if (Node scale_out = node.child("scale_out"); scale_out.is_present())
    system.scale_out = decode_scale_out(scale_out, system.fabric.chips);
  if (Node around = node.child("node"); around.is_present()) system.node = decode_node(around);
  system.economics = decode_economics(node.child("economics"));
  node.finish();
  return system;
}

void decode_system_again(Node node, std::span<const std::string_view> members, SystemSpec& system) {
  const auto has_changed = [&](std::string_view member) {
    return std::find(members.begin(), members.end(), member) != members.end();
  };
  const std::int64_t chips = system.fabric.chips;
  if (has_changed("fabric")) system.fabric = decode_fabric(node.child("fabric"));
  if (has_changed("scale_out") || system.fabric.chips != chips) {
    if (Node scale_out = node.child("scale_out"); scale_out.is_present())
      system.scale_out = decode_scale_out(scale_out, system.fabric.chips);
  }
  if (has_changed("node")) system.node = decode_node(node.child("node"));
  if (has_changed("economics")) system.economics = decode_economics(node.child("economics"));
}

}  // namespace mlosim::spec
