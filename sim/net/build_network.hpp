// The network of a system as a graph, with its failed and slow links: nodes (NVLink domains, torus pods) as far as
// `chips` reach, and what joins them. Links run at what long transfers sustain of them.
//
// Names, for `failed:` and `degraded:` and in results, n a node, c a chip of it:
//   node<n>.link<c>        chip to the node's switch          node<n>.chip<a>-chip<b>   xGMI
//   node<n>.path<c>        chip to the host's PCIe            pod<n>.chip<c>.<x|y|z>    to the next chip on that axis
//   node<n>.nic<c>         chip's adapter to the network      node<n>.<x|y|z>           to the next node (ring, torus)
//   node<n>-node<m>        full                               leaf<l>.rail<r>.up<i>     leaf switch to spine i
#pragma once

#include <cstdint>

#include "sim/net/network.hpp"
#include "sim/spec/system_spec.hpp"

namespace mlosim::net {

// Vertices 0 … chips-1 are the chips. Throws InputError where `chips` are not whole nodes beyond the first or form no
// slice, and where a fault names no link of the whole network: links of nodes beyond `chips` are passed over.
Network build_network(const spec::SystemSpec& system, std::int64_t chips);

}  // namespace mlosim::net
