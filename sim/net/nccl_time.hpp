// Time of a collective whose NCCL algorithm and protocol are known, ranks inside one node or NVLink domain.
//
// With m the device-memory latency, B the link bandwidth per direction, L, V, g, l the steps, sent bytes, chunk and
// local bytes of ring_traffic, ‖a, b‖ = (a^q + b^q)^(1/q) and e what a version's kernels start later:
//   LL      e + m·(t0 + dt0·x + L·h0) + max(L·x·dk/clk, V/(fLL·B)) + l/(lLL·B),  x = min(1, g/4 KiB)
//   LL128   e + m·(t0 + dt0) + ‖L·m·h128, V/(f128·B)‖ + l/(lS·B)
//   Simple  e + m·(t0 + dt0) + ‖L·m·hS, V/(fS·B)‖ + m·hS + l/(lS·B): the step that stays on the chip waits, too
//   NVLS    e + m·t0 + ‖hN, S/(fN·B)‖, with its own q
// A channel has 512 threads of 8 bytes: below one line of 4 KiB threads are added and a step's time grows; above it
// channels are added and it is flat; then bandwidth binds. Before Hopper, which launches channels as clusters, dt0 is
// four times as long.
//
// A norm below 1 gives more than the sum: a bandwidth that ramps up slowly.
//
// Source: fits to NCCL's times on A100, H100 and B200 nodes, 512 B to 512 MiB, 2 to 8 ranks, versions 2.23 to 2.29.
// Never measured: trees, broadcast, more than 8 ranks but for the largest messages.
#pragma once

#include <limits>

#include "sim/net/nccl_choice.hpp"
#include "sim/net/traffic.hpp"
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

// Start of a kernel with one channel of few threads.
Seconds narrow_start(const NcclPlace& place);

// What a ring or tree that leaves the node adds: sim/net/nccl_across.
struct Outside {
  double steps = 0;                                              // of the collective's, between nodes
  Seconds hops;                                                  // that they take
  BytesPerSecond pace{std::numeric_limits<double>::infinity()};  // of a rank, protocol and adapter as they are
};

// A ring or tree with `traffic.steps` inside the node.
Seconds estimate_protocol(spec::NcclProtocol protocol, const RingTraffic& traffic, const NcclPlace& place,
                          const Outside& outside);

// In-switch reduction inside the node.
Seconds estimate_nvls(const work::Collective& collective, const NcclPlace& place);

// all_reduce, all_gather, reduce_scatter, broadcast, inside one node.
Seconds estimate_nccl(const NcclChoice& choice, const work::Collective& collective, const NcclPlace& place);

}  // namespace mlosim::net
