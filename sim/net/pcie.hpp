// Collectives of cards that share a PCIe root complex: a ring whose steps all pass through the narrowest shared path.
//
//   T = start + L · hop + V/B(n)
// with L and V of ring_traffic and B(n) the bandwidth that one of n ranks gets of that path (n = 2 for a p2p), a
// property of the node's topology. Source: fit to NCCL on 2, 4 and 8 L40S; held-out error 16 %.
#pragma once

#include <cstdint>

#include "sim/spec/system_spec.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

// Fabric::shared_path at `ranks`, straight in log ranks and log bandwidth between listed numbers, flat outside.
BytesPerSecond shared_path_bandwidth(const spec::Fabric& fabric, std::int64_t ranks);

Seconds estimate_pcie(const work::Collective& collective, const spec::Fabric& fabric);

}  // namespace mlosim::net
