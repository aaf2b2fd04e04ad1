#include "sim/chip/concurrent.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "sim/tile/paced_grid.hpp"
#include "sim/tile/play_grids.hpp"
#include "sim/units/check.hpp"

namespace mlosim::chip {
namespace {

using Grids = std::vector<tile::Grid>;

// What is played of a kernel, and the time of other kernels around it, which follows.
struct Parts {
  Grids grids;
  Seconds after;
};

Seconds play_alone(const Parts& parts, const spec::ChipSpec& chip) {
  tile::GridStream stream;
  for (const tile::Grid& grid : parts.grids) stream.push_back(&grid);
  return tile::play_grids(chip, {stream}).makespan + parts.after;
}

// Units that run `factor` times as long for everything: a clock below the highest.
void slow_units(Grids& grids, double factor) {
  for (tile::Grid& grid : grids) {
    for (tile::CtaKind& kind : grid.kinds) {
      kind.prologue *= factor;
      kind.multiply *= factor;
      kind.wait *= factor;
      kind.epilogue *= factor;
    }
    grid.load_rate /= factor;
    grid.store_rate /= factor;
  }
}

// Lowers the clock until the kernel alone takes the time of its price, which is that under the power cap.
void bring_under_cap(Parts& parts, const KernelPrice& price, const spec::ChipSpec& chip) {
  constexpr int kTrials = 3;  // what does not wait for the units makes the first a little short
  const Seconds fixed = price.causes.launch + price.causes.other_kernels;
  for (int i = 0; i < kTrials; ++i) {
    const double factor = (price.time - fixed) / (play_alone(parts, chip) - fixed);
    if (std::abs(factor - 1) < 1e-3) return;
    slow_units(parts.grids, factor);
  }
}

// Nothing is folded here: a kernel that would take as many events as so many plays keeps the pace of its folded price.
constexpr double kMostPlays = 25;

double events_of(const Grids& grids) {
  double events = 0;
  for (const tile::Grid& grid : grids) {
    for (const tile::Cta& cta : grid.ctas) events += cta.steps + 2.0;
  }
  return events;
}

// CTAs of a kernel of which only the plan is known: whole rounds, and what the last one has left. Without tiles, they
// are many and small.
tile::Grid paced(const KernelPrice& price, const KernelContext& context) {
  constexpr double kMostRounds = 16;
  const double units = static_cast<double>(context.chip.units);
  const double ctas = price.plan.tiles * static_cast<double>(price.plan.units_per_tile) / units;
  const bool has_tiles = price.plan.tiles > 1;
  const double rounds = has_tiles ? std::clamp(std::ceil(ctas), 1.0, kMostRounds) : kMostRounds;
  const double filled = ctas > 1 ? std::min(ctas, kMostRounds) : rounds * price.use.units;
  return tile::make_paced_grid({.name = "kernel",
                                .ctas = std::max<std::int64_t>(1, std::llround(filled * units)),
                                .rounds = static_cast<std::int64_t>(rounds),
                                .fixed = price.overhead,
                                .main = std::max(price.time - price.overhead, Seconds(1e-9)),
                                .device_bytes = price.plan.device_read + price.plan.device_written,
                                .cache_bytes = price.plan.shared_cache,
                                .links = {},
                                .max_events = context.max_events});
}

Parts parts_of(const ConcurrentKernel& kernel, const KernelContext& context) {
  if (const auto* held = std::get_if<PacedByNetwork>(&kernel)) {
    return {.grids = {tile::make_paced_grid({.name = "collective",
                                             .ctas = std::min(held->ctas, context.chip.units),
                                             .rounds = 1,
                                             .fixed = {},
                                             .main = held->time,
                                             .device_bytes = held->device_bytes,
                                             .cache_bytes = held->cache_bytes,
                                             .links = held->links,
                                             .max_events = context.max_events})},
            .after = {}};
  }
  const auto& op = std::get<work::Operator>(kernel);
  MLOSIM_CHECK(!std::holds_alternative<work::Collective>(op));
  const KernelPrice price = price_kernel(op, context, Fidelity::event);
  if (!price.grids || events_of(*price.grids) > kMostPlays * static_cast<double>(context.max_events))
    return {.grids = {paced(price, context)}, .after = {}};
  Parts parts{.grids = *price.grids, .after = price.causes.other_kernels};
  if (price.causes.power > Seconds(0)) bring_under_cap(parts, price, context.chip);
  return parts;
}

}  // namespace

PlayedTogether play_together(const std::vector<std::vector<ConcurrentKernel>>& streams, const KernelContext& context) {
  KernelContext keeping = context;
  keeping.keeps_grids = true;
  PlayedTogether result;
  std::vector<std::vector<Parts>> kernels;
  std::vector<tile::GridStream> queues;
  for (const std::vector<ConcurrentKernel>& stream : streams) {
    std::vector<Parts>& queued = kernels.emplace_back();
    std::vector<ConcurrentRun>& runs = result.runs.emplace_back();
    for (const ConcurrentKernel& kernel : stream) {
      queued.push_back(parts_of(kernel, keeping));
      runs.push_back({.start = {}, .end = {}, .alone = play_alone(queued.back(), context.chip)});
    }
    tile::GridStream& queue = queues.emplace_back();
    Seconds before;
    for (Parts& parts : queued) {
      parts.grids.front().fixed += before;
      before = parts.after;
      for (const tile::Grid& grid : parts.grids) queue.push_back(&grid);
    }
  }
  const tile::PlayedGrids played = tile::play_grids(context.chip, queues);
  result.events = played.events;
  for (std::size_t s = 0; s < streams.size(); ++s) {
    std::size_t next = 0;
    Seconds before;
    for (std::size_t k = 0; k < streams[s].size(); ++k) {
      ConcurrentRun& run = result.runs[s][k];
      run.start = played.runs[s][next].start + before;
      next += kernels[s][k].grids.size();
      before = kernels[s][k].after;
      run.end = played.runs[s][next - 1].end + before;
      result.makespan = std::max(result.makespan, run.end);
    }
  }
  return result;
}

}  // namespace mlosim::chip
