// Plays grids of CTAs on a GPU, event by event: who runs on which unit when, what waits for multipliers, loads, caches
// and the device memory. Wave quantisation, uneven tails, cache reuse and contention between kernels come out of it.
//
//   kernels get in line as they start, and the first in line has all its CTAs dispatched before the second has any (the
//           "leftover" policy of NVIDIA's block scheduler; Amert et al., GPU Scheduling on the NVIDIA TX2, RTSS 2017).
//           At equal times those with fewer CTAs are first.
//   unit    CTAs are dispatched in order to the unit with most room. Multipliers and loads of a unit serve its CTAs
//           one after another.
//   step    begins when the one before is done and its operands are there, and holds the multipliers; the operands of
//           the step after it (Grid::ahead steps after) are requested as it begins.
//   load    passes the unit's load port at the rate that its bytes in flight allow (Little's law, by the latency of
//           where they are found), the shared cache, and, for what the caches do not hold, every level outside it.
//           What all CTAs under way ask of caches and memory in a step stretches the step, too, where overlap is
//           imperfect.
//   caches  keep slices of panels by the bytes that all kernels have touched since (LRU).
//   end     stores pass the CTA's share of its unit's store port, the cache and the device memory.
//
// One event a step, none for a transfer: servers are first come, first served, so that a transfer's end is known when
// it begins. Equal input gives equal output, whatever the order of the streams.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/spec/chip_spec.hpp"
#include "sim/tile/grid.hpp"

namespace mlosim::tile {

// Kernels that run one after another; streams run beside each other.
using GridStream = std::vector<const Grid*>;

// Where the time of a grid's slots (units × resident) went, in slot-seconds over its whole duration; the parts add up
// to slots × (end − start − fixed).
struct SlotTime {
  Seconds fill;     // prologues
  Seconds compute;  // steps, as far as the multipliers set their pace
  Seconds load;     // steps that waited for their operands
  Seconds latency;  // steps that waited for barriers and issue
  Seconds store;    // ends
  Seconds idle;     // no CTA: the tail of the last wave, or another kernel

  Seconds total() const { return fill + compute + load + latency + store + idle; }
  // The parts of a time that these are the shares of.
  SlotTime shares_of(Seconds time) const {
    const Seconds all = total();
    const auto share = [&](Seconds part) { return time * (part / all); };
    return {.fill = share(fill),
            .compute = share(compute),
            .load = share(load),
            .latency = share(latency),
            .store = share(store),
            .idle = share(idle)};
  }
};

struct GridRun {
  Seconds start, end;   // from the start of the play; fixed time included
  Seconds multiplying;  // unit-seconds that multipliers were held
  SlotTime slots;
  Bytes cache_bytes;                  // crossed the first shared cache
  Bytes found;                        // of loads, found in a cache
  Bytes device_read, device_written;  // at the device memory
  double units = 1;                   // that ran a CTA

  double hit_rate() const { return cache_bytes > Bytes(0) ? found / cache_bytes : 0; }
};

struct PlayedGrids {
  std::vector<std::vector<GridRun>> runs;  // as the streams
  Seconds makespan;
  std::uint64_t events = 0;
};

// Requires: grids as grid.hpp says, on a chip with shared caches or none, and a device memory.
PlayedGrids play_grids(const spec::ChipSpec& chip, const std::vector<GridStream>& streams);

}  // namespace mlosim::tile
