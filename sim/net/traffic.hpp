// What a collective moves, whatever moves it: link steps and bytes of one rank. Pure arithmetic; used by every
// algorithm of this folder and by the bounds.
#pragma once

#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

// Of one rank when the collective runs on a ring: S bytes (Collective::bytes), n ranks, g = S/n.
//
//   kind                         steps    sent        chunk  local
//   all_reduce                   2(n-1)   2(n-1)·g    g      g
//   all_gather, reduce_scatter   n-1      (n-1)·g     g      g
//   all_to_all                   n-1      (n-1)·g     g      g
//   broadcast                    n-1      S           S      0
//   p2p                          1        S           S      0
//
// An n-rank ring has n-1 link steps and one step that stays on the chip (the final receive or the first copy): `local`.
struct RingTraffic {
  double steps = 0;
  Bytes sent;   // over the link
  Bytes chunk;  // of one step
  Bytes local;  // copied inside the chip
};

RingTraffic ring_traffic(const work::Collective& collective);

// Bytes that a rank must send or receive, whichever is more, under any algorithm. A fabric that reduces in its switches
// spares an all-reduce one of its two passes.
Bytes least_traffic(const work::Collective& collective, bool reduces_in_network);

}  // namespace mlosim::net
