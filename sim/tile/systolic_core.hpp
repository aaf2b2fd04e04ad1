// The cores of a systolic chip, wired from its description and played by events: DMA engines between the shared device
// memory and each core's scratchpad, double-buffered blocks, and the units that compute. Used by sim/chip for
// Fidelity:: event, and by the checks against cycle counts of TPU v4.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/event/time.hpp"
#include "sim/tile/systolic_grid.hpp"

namespace mlosim::tile {

// What the ICI engine of each core sends over one link while the grid runs, from its first step on.
struct RemoteTransfer {
  DmaPath link;  // latency, and the rate of a link for one core and for all that share it
  Bytes bytes;
};

struct GridPlay {
  Seconds time;  // of the slowest core, transfers to other chips included
  std::uint64_t events = 0;
};

// Plays the grid on all cores. Turns that repeat are counted, not played: once the last three took the same time to two
// picoseconds, the ones before the last two take it too. So the events are bounded by a few turns.
GridPlay play_grid(const SystolicMachine& machine, const SystolicGrid& grid,
                   const std::optional<RemoteTransfer>& remote = std::nullopt);

}  // namespace mlosim::tile
