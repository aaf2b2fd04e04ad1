// What the kernel of a collective takes of one chip while the network sets its pace: units that its CTAs hold, and
// bytes that it moves through the chip's memories. Compute beside it is slowed by that, and it by compute.
//
//   CTAs: one a channel, each on a unit of its own (NCCL's kernel takes nearly all of a unit's registers).
//   NCCL: `ctas_per_ring` times the rings that its search finds, but so few that each of the `threads` of a channel has
//   `thread_bytes` of the protocol (LL on a ring: times the ranks); NVLS has channels of its own; sends and receives
//   have the next power of two. Device memory: a rank reads what it gives and writes what it gets; through buffers,
//   what arrives is written once more (they are too large for a cache to absorb). The shared cache sees arriving bytes
//   twice.
// Source: NCCL, src/enqueue.cc, src/graph/connect.cc, src/transport/nvls.cc; bytes are our own count. Not measured.
#pragma once

#include <cstdint>

#include "sim/net/nccl_choice.hpp"
#include "sim/spec/nccl_spec.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

struct KernelFootprint {
  std::int64_t ctas = 0;  // 0: DMA engines do it all
  Bytes device_bytes;     // read and written
  Bytes cache_bytes;      // crossing the shared cache
};

// Bytes of a rank, sent `wire` over the link. `buffered`: what arrives waits in a buffer of the library's.
KernelFootprint footprint_of(const work::Collective& collective, Bytes wire, bool buffered, std::int64_t ctas);

// CTAs of NCCL's kernel for a ring, a tree or NVLS.
std::int64_t ctas_of(const NcclChoice& choice, const work::Collective& collective, const spec::NcclLaunch& launch,
                     const spec::NcclGeneration& generation);

}  // namespace mlosim::net
