// Time of a collective whose NCCL algorithm and protocol are known, ranks inside one node or NVLink domain.
//
// With m the device-memory latency, B the link bandwidth per direction, L, V, g, l the steps, sent bytes, chunk and
// local bytes of ring_traffic, and ‖a, b‖ = (a^q + b^q)^(1/q):
//   LL      m·(t0 + dt0·x + L·h0) + max(L·x·dk/clk, V/(fLL·B)) + l/(lLL·B),  x = min(1, g/4 KiB)
//   LL128   m·(t0 + dt0) + ‖L·m·h128, V/(f128·B)‖ + l/(lS·B)
//   Simple  m·(t0 + dt0) + ‖L·m·hS, V/(fS·B)‖ + l/(lS·B)
//   NVLS    m·t0 + ‖hN, S/(fN·B)‖, with its own q
//   all-to-all       m·t0p + hp·(n-1) + ‖min(g/b1, m·D), V/(fP·B) + l/(flocP·B)‖, with its own q
//   point to point   m·t2 + S/(f2·B)
// A channel has 512 threads of 8 bytes: below one line of 4 KiB threads are added and a step's time grows; above it
// channels are added and it is flat; then bandwidth binds.
//
// A norm below 1 gives more than the sum: a bandwidth that ramps up slowly.
//
// Source: fits to NCCL's times on A100, H100 and B200 nodes, 512 B to 512 MiB, 2 to 8 ranks. Held-out error 6 % for
// rings, 10 % for all-to-all, 11 % point to point. Never measured: trees, broadcast, more than 8 ranks.
#pragma once

#include "sim/net/nccl_choice.hpp"
#include "sim/spec/nccl_spec.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

// The chip and the link as the time model sees them.
struct NcclPlace {
  const spec::RingLibrary& library;
  const spec::NcclGeneration& generation;
  BytesPerSecond link;     // of one chip, per direction
  Seconds memory_latency;  // of the device memory
  Hertz clock;
};

// all_reduce, all_gather, reduce_scatter, broadcast.
Seconds estimate_nccl(const NcclChoice& choice, const work::Collective& collective, const NcclPlace& place);

Seconds estimate_all_to_all(const work::Collective& collective, const NcclPlace& place);

// One sender, one receiver.
Seconds estimate_pair(const work::Collective& collective, const NcclPlace& place);

}  // namespace mlosim::net
