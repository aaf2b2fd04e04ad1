// The network beyond a node, NVLink domain or torus pod, as a system's `scale_out:` gives it. Which chips stand where,
// and what a transfer takes there, is sim/net's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/spec/node.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::spec {

enum class ScaleOutTopology {
  switched,  // every node reaches every other at full bandwidth
  fat_tree,  // leaf switches, perhaps one for each rail, and less bandwidth above them where it is oversubscribed
  full,      // a link from each node to each other
  ring,      // of nodes
  torus,     // of nodes
  dcn,       // the data-centre network between pods: hosts, their adapters, a fabric that is nobody's bottleneck
};

// A link that is slower than it should be, or gone (bandwidth 0): "node3.nic2", or of a torus "chip5.x+".
struct LinkFault {
  std::string link;
  BytesPerSecond bandwidth;
};

struct ScaleOut {
  ScaleOutTopology topology = ScaleOutTopology::switched;
  BytesPerSecond bandwidth;              // of one chip, per direction: its adapter's, or its part of the node's
  Seconds latency;                       // from adapter to adapter through one switch
  Seconds hop_latency;                   // of each switch or node more on the way
  Seconds step_overhead;                 // of a step of a collective, where the library's own constants do not say it
  double efficiency = 1;                 // of the bandwidth, that long transfers between neighbours sustain
  double exchange_efficiency = 1;        // of the bandwidth, that everybody's transfers to everybody sustain
  bool reduces_in_switch = false;        // SHARP
  JoulesPerByte energy{};                // of a byte from adapter to adapter: optics, cables and switches
  std::int64_t nodes_per_leaf = 0;       // fat_tree: below one leaf switch, from radix, rails and oversubscription
  double oversubscription = 1;           // fat_tree: bandwidth into a leaf switch / out of it
  std::int64_t radix = 0;                // fat_tree: ports of a switch
  std::int64_t rails = 1;                // fat_tree: adapters of a node that have leaf switches of their own
  std::int64_t nodes = 0;                // full: of the whole installation
  std::vector<std::int64_t> dimensions;  // torus: of nodes
  std::vector<LinkFault> faults;         // of degraded: and failed:
};

// `chips` stand in a node.
ScaleOut decode_scale_out(Node node, std::int64_t chips);

}  // namespace mlosim::spec
