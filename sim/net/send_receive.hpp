// Time of NCCL's sends and receives inside one node or NVLink domain: an all-to-all, and one sender with one receiver.
// They are no collectives to NCCL: it chooses neither algorithm nor protocol by its predictor, but cuts what goes to a
// peer into parts, one channel each.
//
// With g the bytes for each of n-1 peers, C the channels, c = C/n at most for a peer, and the other symbols of
// nccl_time.hpp:
//   LL      up to 16 KiB a channel: of all channels (until 2.28), or of those that g opens (from 2.29, where it is
//           g <= 16 KiB); opens one for 8 KiB, at most c
//   Simple  beyond; opens one for 64 KiB, at most c
//   p = max(g/channels opened, n·g/C) bytes a channel
//   start   e + m·(t0p + hp·(n-1)) + k0p/clk + dt0·m·(1 - 1/channels opened)
//   LL      start + kp/clk · max(0, p/4 KiB - 1)
//   Simple  start + m·hSp + max(p/(r·clk), (n-1)·g/(fP·B)) + min(p, 512 KiB)/(rf·clk)
//   point to point  e + m·(t2 + dt0) + S/(f2·B)
// The first line of LL is in the start; the receiver of Simple waits for the first chunk.
//
// Source: the cutting from NCCL, src/enqueue.cc of 2.23 to 2.30, the times from fits to A100, H100 and B200 nodes.
#pragma once

#include "sim/net/nccl_time.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

Seconds estimate_all_to_all(const work::Collective& collective, const NcclPlace& place);

// One sender, one receiver.
Seconds estimate_pair(const work::Collective& collective, const NcclPlace& place);

}  // namespace mlosim::net
