#include "sim/tile/paced_grid.hpp"

#include <algorithm>
#include <cmath>

#include "sim/units/check.hpp"

namespace mlosim::tile {

Grid make_paced_grid(const PacedKernel& kernel) {
  MLOSIM_CHECK(kernel.ctas >= 1 && kernel.rounds >= 1 && kernel.main > Seconds(0));
  constexpr double kStepBytes = 64 * 1024;  // what a unit asks for at a time, as other kernels do
  constexpr double kFewestSteps = 8;
  const double ctas = static_cast<double>(kernel.ctas);
  const Bytes cache = std::max(kernel.cache_bytes, kernel.device_bytes);
  const double affordable = std::max(kFewestSteps, std::floor(static_cast<double>(kernel.max_events) / ctas) - 2);
  const double steps = std::clamp(std::ceil(cache.si() / ctas / kStepBytes), kFewestSteps, affordable);

  Grid grid;
  grid.name = kernel.name;
  grid.operands[0] = {.panels = static_cast<std::uint32_t>(kernel.ctas),
                      .slices = static_cast<std::uint32_t>(steps),
                      .slice = kernel.device_bytes / (ctas * steps)};
  CtaKind kind;
  kind.wait = kernel.main / (static_cast<double>(kernel.rounds) * steps);
  kind.links = kernel.links / (ctas * steps);
  kind.load = {kernel.device_bytes / (ctas * steps), (cache - kernel.device_bytes) / (ctas * steps)};
  grid.kinds = {kind};
  for (std::int64_t c = 0; c < kernel.ctas; ++c) {
    grid.ctas.push_back(
        {.steps = static_cast<std::uint32_t>(steps), .panel = {static_cast<std::uint32_t>(c), kNoPanel}});
  }
  grid.keeps_time = true;
  grid.ahead = kMostAhead;  // deep buffers, so that what comes in bursts beside it does not hold it up
  grid.fixed = kernel.fixed;
  return grid;
}

}  // namespace mlosim::tile
