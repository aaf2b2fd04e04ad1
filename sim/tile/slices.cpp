#include "sim/tile/slices.hpp"

namespace mlosim::tile {

Found Slices::find(SimtChip& chip, const Grid& grid, const Operand& operand, Slice& slice) {
  Found found{.missing = 1 - operand.warm};
  const double streamed = 2 * grid.step_bytes.si();
  const double kept = grid.kept_share * chip.last_cache().capacity + streamed;
  if (slice.touched >= 0) {
    const double since = touched_ - slice.touched;
    found.missing = since <= kept ? 0 : 1;
    found.is_near = since <= grid.kept_share * chip.levels.front().capacity + streamed;
  }
  // What is asked for again and again stays at the young end: only what comes back from the older half moves others on.
  constexpr double kOld = 0.5;
  if (slice.touched < 0 || touched_ - slice.touched > kOld * kept) touched_ += operand.slice.si();
  slice.touched = touched_;
  found.latency = found.missing * chip.memory().latency + (1 - found.missing) * chip.levels.front().latency;
  return found;
}

}  // namespace mlosim::tile
