// The price of a collective inside one node, NVLink domain or torus slice: the one question that the rest of mlosim
// asks this folder. Collectives across nodes are refused; sharing of links between collectives is not in here.
#pragma once

#include <string_view>

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
};

// `custom` is the framework's own all-reduce, null where it has none; it replaces the library's up to its largest size
// on fabrics where each rank reaches all others (switched, full; PCIe among as few ranks as it says). Nothing moves
// between fewer than two ranks: time 0. Throws InputError where more ranks are asked for than the fabric joins, or
// where the system's library is not made for its fabric.
CollectivePrice estimate_collective(const work::Collective& collective, const spec::SystemSpec& system,
                                    const spec::CustomAllReduce* custom);

}  // namespace mlosim::net
