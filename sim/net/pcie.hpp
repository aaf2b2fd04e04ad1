// Collectives of cards that share a PCIe root complex: a ring whose steps all pass through the narrowest shared path.
//
// With L and V of ring_traffic and B(n) the bandwidth that one of n ranks gets of that path (n = 2 for a p2p), a
// property of the node's topology:
//   T = start + L·hop + min(V/(fLL·B(n)), (L+1)·hS + V/B(n)), LL or Simple; without a library V/B(n) for either
// Source: fit to NCCL on 2, 4 and 8 L40S; held-out error 12 %.
#pragma once

#include <cstdint>

#include "sim/spec/nccl_spec.hpp"
#include "sim/spec/system_spec.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

// Fabric::shared_path at `ranks`, straight in log ranks and log bandwidth between listed numbers, flat outside.
BytesPerSecond shared_path_bandwidth(const spec::Fabric& fabric, std::int64_t ranks);

// `library` is null where the system names none.
Seconds estimate_pcie(const work::Collective& collective, const spec::Fabric& fabric, const spec::RingLibrary* library);

}  // namespace mlosim::net
