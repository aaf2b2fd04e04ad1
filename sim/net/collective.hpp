// The price of a collective among any ranks of a system: the one question that the rest of mlosim asks this folder.
// All groups of the same kind run it at once, as work::Collective says; other collectives that run beside it are not in
// here (play_collectives.hpp).
#pragma once

#include <string>
#include <string_view>

#include "sim/net/kernel_footprint.hpp"
#include "sim/spec/collective_spec.hpp"
#include "sim/spec/system_spec.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

struct CollectivePrice {
  Seconds time;
  Seconds bound;  // what the busiest link needs at its whole bandwidth, and one hop; never above `time`
  std::string_view
      algorithm;     // "ring LL128", "tree LL", "NVLS", "one-shot", "two-shot", "direct", "p2p", "torus bucket" …
  Bytes wire_bytes;  // sent by one chip
  Bytes crossing_bytes{};  // of those, beyond its node
  KernelFootprint kernel{};
  // Beyond one node: the link that binds, by name (build_network.hpp); the first where all are alike, a failed or slow
  // one or its neighbour where there are faults. Inside a node empty, but for faults.
  std::string bottleneck{};
};

// `custom` is the framework's own all-reduce, null where it has none; it replaces the library's up to its largest size
// on fabrics where each rank reaches all others (switched, full; PCIe among as few ranks as it says). Nothing moves
// between fewer than two ranks: time 0. Throws InputError where the ranks do not fit (group_layout.hpp), or where the
// system's library is not made for its fabric.
CollectivePrice estimate_collective(const work::Collective& collective, const spec::SystemSpec& system,
                                    const spec::CustomAllReduce* custom);

}  // namespace mlosim::net
