// How the network beyond the node carries what all nodes do at once: the load of its busiest link, and its latency.
//
// A load is how many times as long the pattern takes as it would if every adapter ran at its own bandwidth:
//   switch, dcn  1
//   fat tree     of k nodes below a leaf switch, o the oversubscription: max(1, o · the share of its nodes' transfers
//                that leave the leaf); all leave where neighbours of a ring are k or more nodes apart, 1/k where they
//                are next to each other
//   full         (M-1) / links used, of the M-1 that a node has
//   ring, torus  as torus.hpp: neighbours d nodes apart share each link with d-1 others; everybody to everybody is
//                bounded by the cut in the middle
// All chips take part, as work::Collective says. Source: geometry. Faults are not in here: sim/net/network plays them.
#pragma once

#include "sim/net/group_layout.hpp"
#include "sim/spec/scale_out.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::net {

// Each node of the group sends to its next.
double neighbour_load(const spec::ScaleOut& network, const GroupLayout& layout);

// Each node of the group sends to all others of it.
double exchange_load(const spec::ScaleOut& network, const GroupLayout& layout);

// From one node of the group to its next, without the adapters' and the library's own.
Seconds neighbour_latency(const spec::ScaleOut& network, const GroupLayout& layout);
// To the farthest of the group.
Seconds farthest_latency(const spec::ScaleOut& network, const GroupLayout& layout);

}  // namespace mlosim::net
