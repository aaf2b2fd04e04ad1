#include "sim/net/scale_out_load.hpp"

#include <algorithm>
#include <cmath>

#include "sim/net/torus.hpp"

namespace mlosim::net {
namespace {

using spec::ScaleOut;
using spec::ScaleOutTopology;

double d(std::int64_t n) { return static_cast<double>(n); }

std::int64_t span(const GroupLayout& layout) { return layout.nodes * layout.node_step; }

// The group on the axes of a network of nodes.
SliceShape shape_of(const ScaleOut& network, const GroupLayout& layout) {
  if (network.topology == ScaleOutTopology::ring)
    return {{.length = layout.nodes, .is_ring = true, .sharers = layout.node_step}};
  spec::Fabric fabric;
  fabric.dimensions = network.dimensions;
  fabric.wraparound = spec::Wraparound::whole_axis;
  return strided_shape(fabric, layout.nodes, layout.node_step);
}

// Directions in which an adapter's bandwidth is cut.
double directions_of(const ScaleOut& network) {
  return network.topology == ScaleOutTopology::ring ? 2 : 2 * d(static_cast<std::int64_t>(network.dimensions.size()));
}

// Switches from a node to one that is `nodes` away, besides the first.
double switches_beyond(const ScaleOut& network, std::int64_t nodes) {
  if (nodes <= network.nodes_per_leaf) return 0;
  const bool three_tiers = nodes > network.nodes_per_leaf * std::max<std::int64_t>(1, network.radix / 2);
  return three_tiers ? 4 : 2;
}

}  // namespace

double neighbour_load(const ScaleOut& network, const GroupLayout& layout) {
  switch (network.topology) {
    case ScaleOutTopology::switched:
    case ScaleOutTopology::dcn:
      return 1;
    case ScaleOutTopology::fat_tree: {
      if (span(layout) <= network.nodes_per_leaf) return 1;
      const double leaving = d(std::min(layout.node_step, network.nodes_per_leaf)) / d(network.nodes_per_leaf);
      return std::max(1.0, network.oversubscription * leaving);
    }
    case ScaleOutTopology::full:
      return d(network.nodes - 1) / d(layout.nodes - 1);
    case ScaleOutTopology::ring:
    case ScaleOutTopology::torus:
      return directions_of(network) / links_of(shape_of(network, layout));
  }
  return 1;
}

double exchange_load(const ScaleOut& network, const GroupLayout& layout) {
  switch (network.topology) {
    case ScaleOutTopology::switched:
    case ScaleOutTopology::dcn:
      return 1;
    case ScaleOutTopology::fat_tree: {
      if (span(layout) <= network.nodes_per_leaf) return 1;
      const double below = std::max(1.0, d(network.nodes_per_leaf) / d(layout.node_step));
      return std::max(1.0, network.oversubscription * (d(layout.nodes) - below) / d(layout.nodes - 1));
    }
    case ScaleOutTopology::full:
      return d(network.nodes - 1) / d(layout.nodes - 1);
    case ScaleOutTopology::ring:
    case ScaleOutTopology::torus: {
      // Bytes over the busiest link of an axis when a node sends 1 byte to everybody together.
      const double sent = d(layout.nodes - 1) / d(layout.nodes);
      return std::max(1.0, directions_of(network) * longest_cut(shape_of(network, layout)) / sent);
    }
  }
  return 1;
}

Seconds neighbour_latency(const ScaleOut& network, const GroupLayout& layout) {
  switch (network.topology) {
    case ScaleOutTopology::switched:
    case ScaleOutTopology::dcn:
    case ScaleOutTopology::full:
      return network.latency;
    case ScaleOutTopology::fat_tree: {
      // Most neighbours are below one leaf, but a step waits for the slowest.
      const bool leaves = span(layout) > network.nodes_per_leaf;
      return network.latency +
             (leaves ? switches_beyond(network, std::max(layout.node_step + 1, network.nodes_per_leaf + 1)) : 0) *
                 network.hop_latency;
    }
    case ScaleOutTopology::ring:
    case ScaleOutTopology::torus:
      return network.latency + d(layout.node_step - 1) * network.hop_latency;
  }
  return network.latency;
}

Seconds farthest_latency(const ScaleOut& network, const GroupLayout& layout) {
  switch (network.topology) {
    case ScaleOutTopology::switched:
    case ScaleOutTopology::dcn:
    case ScaleOutTopology::full:
      return network.latency;
    case ScaleOutTopology::fat_tree:
      return network.latency + switches_beyond(network, span(layout)) * network.hop_latency;
    case ScaleOutTopology::ring:
    case ScaleOutTopology::torus:
      return network.latency + (hops_across(shape_of(network, layout)) - 1) * network.hop_latency;
  }
  return network.latency;
}

}  // namespace mlosim::net
