// Collectives on a full fabric (xGMI): each two chips have a link of their own, and every rank exchanges with all
// others at once. With n of the fabric's chips, a rank has n-1 links of bandwidth/(chips-1) each.
//
//   T = start + exchanges · hop + V/(f · (n-1) · link), the smaller of LL (twice the bytes, short hop) and Simple
// where V is the bytes of ring_traffic (a reduce-scatter and an all-gather for an all-reduce: two exchanges, otherwise
// one; a p2p has one link). Source: RCCL's own constants; f from all-reduces of 4 GiB on MI300X, 47.7 GB/s at 2 and
// 312.9 GB/s at 8 GPUs. Small and middle sizes were never measured.
#pragma once

#include "sim/spec/nccl_spec.hpp"
#include "sim/spec/system_spec.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

// Bandwidth per direction from one rank to its peers.
BytesPerSecond direct_bandwidth(const work::Collective& collective, const spec::Fabric& fabric);

Seconds estimate_direct(const work::Collective& collective, const spec::Fabric& fabric,
                        const spec::DirectLibrary& library);

}  // namespace mlosim::net
