// The grid of a kernel that is known only by its time and its bytes: a collective, whose pace the network sets, or a
// kernel that is priced in closed form. Alone it takes that time; beside others it waits for units and for memory as
// they leave it. Not in here: where in the kernel its bytes are moved (they are spread evenly), and reuse in the
// caches.
#pragma once

#include <cstdint>
#include <string>

#include "sim/tile/grid.hpp"

namespace mlosim::tile {

struct PacedKernel {
  std::string name;
  std::int64_t ctas = 1;    // each takes a whole unit
  std::int64_t rounds = 1;  // of CTAs, one after another on a unit
  Seconds fixed;            // launch and ends
  Seconds main;             // the rest of its time, alone
  Bytes device_bytes;       // read and written
  Bytes cache_bytes;        // crossing the shared cache, those of the device memory included
  Seconds links{};          // of `main`, that the chip's links are taken for
  std::int64_t max_events = 1;
};

// Requires: ctas, rounds >= 1, main > 0, links <= main.
Grid make_paced_grid(const PacedKernel& kernel);

}  // namespace mlosim::tile
