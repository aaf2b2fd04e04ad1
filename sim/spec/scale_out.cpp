#include "sim/spec/scale_out.hpp"

#include <algorithm>
#include <cmath>

namespace mlosim::spec {
namespace {

// Ports down = oversubscription x ports up. A leaf switch of one rail joins as many nodes as it has ports down, any
// other takes all adapters of its nodes.
void decode_fat_tree(Node& node, std::int64_t chips, ScaleOut& out) {
  out.radix = node.require_count("radix", 2);
  out.oversubscription = node.number_or("oversubscription", 1);
  if (out.oversubscription < 1)
    node.fail_at("oversubscription", "a leaf switch has no more bandwidth up than down", "1, or more");
  out.rails = node.count_or("rails", 1);
  const double down = static_cast<double>(out.radix) * out.oversubscription / (1 + out.oversubscription);
  const double adapters =
      out.rails > 1 ? static_cast<double>(chips) / static_cast<double>(out.rails) : static_cast<double>(chips);
  out.nodes_per_leaf = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(down / std::max(1.0, adapters))));
}

void decode_faults(Node& node, ScaleOut& out) {
  for (Node& item : node.child("degraded").items()) {
    const std::string link = item.require_text("link");
    out.faults.push_back({link, item.require<BytesPerSecond>("bandwidth")});
    item.finish();
  }
  for (const Node& item : node.child("failed").items()) out.faults.push_back({item.as_text(), BytesPerSecond(0)});
}

}  // namespace

ScaleOut decode_scale_out(Node node, std::int64_t chips) {
  ScaleOut out;
  out.topology = node.word_or<ScaleOutTopology>("topology",
                                                {{"switch", ScaleOutTopology::switched},
                                                 {"fat_tree", ScaleOutTopology::fat_tree},
                                                 {"full", ScaleOutTopology::full},
                                                 {"ring", ScaleOutTopology::ring},
                                                 {"torus", ScaleOutTopology::torus},
                                                 {"dcn", ScaleOutTopology::dcn}},
                                                ScaleOutTopology::switched);
  out.bandwidth = node.require<BytesPerSecond>("bandwidth");
  out.latency = node.require<Seconds>("latency");
  out.hop_latency = node.value_or<Seconds>("hop_latency", Seconds(0), Range::non_negative);
  out.step_overhead = node.value_or<Seconds>("step_overhead", Seconds(0), Range::non_negative);
  out.efficiency = node.number_or("efficiency", 1, Range::fraction);
  out.exchange_efficiency = node.number_or("exchange_efficiency", out.efficiency, Range::fraction);
  out.energy = node.value_or<JoulesPerByte>("energy", JoulesPerByte(0), Range::non_negative);
  out.reduces_in_switch = node.flag_or("reduces_in_switch", false);
  if (out.topology == ScaleOutTopology::fat_tree) decode_fat_tree(node, chips, out);
  if (out.topology == ScaleOutTopology::full) out.nodes = node.require_count("nodes", 2);
  if (out.topology == ScaleOutTopology::torus) {
    for (const Node& side : node.child("dimensions").items()) out.dimensions.push_back(side.as_count());
    if (out.dimensions.empty())
      node.fail("key 'dimensions' is missing", "a torus of nodes needs its sides, such as [8, 8]");
  }
  decode_faults(node, out);
  node.finish();
  return out;
}

}  // namespace mlosim::spec
