#include "sim/net/hierarchy.hpp"

#include <algorithm>
#include <cmath>

#include "sim/net/scale_out_load.hpp"

namespace mlosim::net {
namespace {

using work::CollectiveKind;

double d(std::int64_t n) { return static_cast<double>(n); }

// Steps one after the other until every node has heard of every other.
double rounds(const GroupLayout& layout, const spec::ScaleOut& network) {
  const bool is_direct =
      network.topology == spec::ScaleOutTopology::ring || network.topology == spec::ScaleOutTopology::torus;
  return is_direct ? d(layout.nodes - 1) : std::ceil(std::log2(d(layout.nodes)));
}

}  // namespace

OuterStage outer_stage(const work::Collective& collective, const GroupLayout& layout, const spec::ScaleOut& network) {
  const double p = d(layout.per_node), nodes = d(layout.nodes);
  const Seconds step = network.step_overhead + neighbour_latency(network, layout);
  const BytesPerSecond neighbours = network.efficiency * network.bandwidth / neighbour_load(network, layout);
  const Bytes share = (nodes - 1) / nodes * collective.bytes / p;
  switch (collective.kind) {
    case CollectiveKind::all_reduce:
      return {2 * rounds(layout, network) * step, 2 * share / neighbours, 2 * share};
    case CollectiveKind::all_gather:
    case CollectiveKind::reduce_scatter:
      return {rounds(layout, network) * step, share / neighbours, share};
    case CollectiveKind::broadcast:
      return {rounds(layout, network) * step, collective.bytes / p / neighbours, collective.bytes / p};
    case CollectiveKind::all_to_all: {
      const Bytes away = (nodes - 1) / nodes * collective.crossing * collective.bytes;
      const BytesPerSecond pace = network.exchange_efficiency * network.bandwidth / exchange_load(network, layout);
      return {network.step_overhead + farthest_latency(network, layout), away / pace, away};
    }
    case CollectiveKind::p2p:
      return {step, collective.bytes / neighbours, collective.bytes};
  }
  return {};
}

work::Collective inner_stage(const work::Collective& collective, const GroupLayout& layout) {
  work::Collective inside = collective;
  inside.ranks = layout.per_node;
  if (collective.kind == CollectiveKind::p2p) inside.ranks = 1;
  if (collective.kind == CollectiveKind::all_to_all) inside.bytes /= d(layout.nodes);
  return inside;
}

}  // namespace mlosim::net
