// A GPU as the tile player sees it: its units and the levels of its memory hierarchy, each a server. Wired from the
// spec in one place. Internal to sim/tile.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "sim/spec/chip_spec.hpp"

namespace mlosim::tile {

// A bandwidth that serves requests in the order in which they come; when one ends is known as it begins. Times in
// seconds from the start of the play, as everywhere inside the player.
struct Server {
  double rate = std::numeric_limits<double>::infinity();  // B/s
  double free_at = 0;

  double serve(double at, double bytes) { return hold(at, bytes / rate); }
  double hold(double at, double seconds) { return free_at = std::max(at, free_at) + seconds; }
};

// One SM or CU. `room` is the part of its registers, shared memory and threads that no CTA holds.
struct Unit {
  static constexpr int kRoom = 1 << 20;
  int room = kRoom;
  Server multipliers, loads;  // held for times, not for bytes: their rates are the kernels'
};

// A level that all units share. Bytes to a partition other than the unit's own cross the link between partitions.
struct Level {
  Server server;
  Server link;
  double far_share = 0;  // of the bytes that cross the link
  double latency = 0;    // s
  double capacity = 0;   // bytes

  double pass(double at, double bytes, double efficiency) {
    const double served = server.serve(at, bytes / efficiency);
    return far_share > 0 ? std::max(served, link.serve(at, bytes * far_share)) : served;
  }
};

struct SimtChip {
  std::vector<Unit> units;
  Server links;               // to other chips; held for times
  std::vector<Level> levels;  // from the cache nearest the units to the device memory, which is the last

  Level& memory() { return levels.back(); }
  Level& last_cache() { return levels[levels.size() - 2]; }
};

// Requires: a chip with at least one shared cache.
SimtChip build_simt_chip(const spec::ChipSpec& spec);

}  // namespace mlosim::tile
