#include "sim/chip/play_kernel.hpp"

#include <algorithm>

#include "sim/chip/pricing.hpp"

namespace mlosim::chip {
namespace {

// A grid of more CTAs than may be played, cut down to whole waves and what the last one has left.
struct Folded {
  std::size_t ctas = 0;      // that are played
  std::size_t left_out = 0;  // repetitions of `unit` CTAs each
  std::size_t unit = 1;
};

Folded fold(const tile::Grid& grid, double units, double events) {
  const std::size_t all = grid.ctas.size();
  const double steps = static_cast<double>(grid.ctas.front().steps) + 2;
  const auto wave = static_cast<std::size_t>(std::floor(units / static_cast<double>(grid.units_per_cta)) *
                                             static_cast<double>(grid.resident));
  const auto affordable = static_cast<std::size_t>(std::max(events / steps, 6.0 * static_cast<double>(wave)));
  if (all <= affordable) return {.ctas = all, .left_out = 0, .unit = 1};
  // What repeats: a wave of equal CTAs, or as many problems as come nearest to one.
  const std::size_t unit = grid.period > 0 ? grid.period * std::max<std::size_t>(1, wave / grid.period) : wave;
  constexpr std::size_t kLeast = 3;  // to tell what one repetition more takes
  if (all / unit <= kLeast) return {.ctas = all, .left_out = 0, .unit = 1};
  const std::size_t left_out = std::min((all - affordable) / unit, all / unit - kLeast);
  return {.ctas = all - left_out * unit, .left_out = left_out, .unit = unit};
}

tile::GridRun play_alone(const tile::Grid& grid, const KernelContext& context, std::uint64_t& events) {
  const tile::PlayedGrids played = tile::play_grids(context.chip, {{&grid}});
  events += played.events;
  return played.runs.front().front();
}

// What a grid takes, all of its CTAs counted.
struct Played {
  Seconds time, multiplying;
  Bytes device_read, device_written, crossed, found;
  tile::SlotTime shares;  // of the time without the fixed one
  double folded = 0;      // repetitions that were not played
};

Played play_whole(const tile::Grid& grid, const KernelContext& context, std::uint64_t& events) {
  const Folded folded = fold(grid, static_cast<double>(context.chip.units), static_cast<double>(context.max_events));
  tile::GridRun run;
  Seconds time;
  double scale = 1;
  if (folded.left_out > 0) {
    tile::Grid some = grid;
    some.ctas.resize(folded.ctas);
    run = play_alone(some, context, events);
    some.ctas.resize(folded.ctas - folded.unit);
    const Seconds each = run.end - play_alone(some, context, events).end;
    time = run.end + static_cast<double>(folded.left_out) * each;
    scale = static_cast<double>(grid.ctas.size()) / static_cast<double>(folded.ctas);
  } else {
    run = play_alone(grid, context, events);
    time = run.end;
  }
  return {.time = time,
          .multiplying = run.multiplying * scale,
          .device_read = run.device_read * scale,
          .device_written = run.device_written * scale,
          .crossed = run.cache_bytes * scale,
          .found = run.found * scale,
          .shares = run.slots.shares_of(time - grid.fixed),
          .folded = static_cast<double>(folded.left_out)};
}

}  // namespace

PlayLimits::PlayLimits(const KernelContext& context)
    : events(static_cast<double>(context.max_events)),
      memory_rate(context.chip.device_memory().bandwidth.si()),
      cache_rate(context.chip.first_shared_cache()->bandwidth.si()) {}

bool can_be_played(const KernelPrice& closed, const KernelContext& context) {
  constexpr Seconds kLongest(1000);
  constexpr std::int64_t kMostUnits = 100'000;
  return closed.time <= kLongest && context.chip.units <= kMostUnits;
}

double PlayLimits::steps_of(double ctas) const { return std::clamp(std::floor(events / ctas) - 2, 1.0, kMostSteps); }

KernelPrice play_kernel(const std::vector<tile::Grid>& grids, const PlayedKernel& kernel,
                        const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const spec::MemoryLevel& shared = *chip.first_shared_cache();
  KernelPlan plan = kernel.plan;
  plan.device_read = plan.device_written = plan.shared_cache = Bytes(0);
  std::uint64_t events = 0;
  TimeByCause causes{};
  Bytes found;
  Seconds multiplying, cache, memory;
  Coarseness coarseness;
  for (const tile::Grid& grid : grids) {
    const Played played = play_whole(grid, context, events);
    plan.device_read += played.device_read;
    plan.device_written += played.device_written;
    plan.shared_cache += played.crossed;
    found += played.found;
    multiplying += played.multiplying;
    cache += played.crossed / std::min(shared.bandwidth * grid.cache_efficiency, shared.far_rate());
    memory += (played.device_read + played.device_written) / (chip.device_memory().bandwidth * grid.memory_efficiency);
    coarseness.merged_steps = std::max(coarseness.merged_steps, grid.merged_steps);
    coarseness.folded_waves += played.folded;
    causes.launch += grid.fixed;
    causes.fill += played.shares.fill;
    causes.compute += played.shares.compute;
    causes.load += played.shares.load;
    causes.latency += played.shares.latency;
    causes.store += played.shares.store;
    causes.tail += played.shares.idle;
  }
  if (plan.shared_cache > Bytes(0)) plan.cache_hit_rate = found / plan.shared_cache;

  const Seconds ends = causes.fill + causes.store;
  const Seconds played = ends + causes.compute + causes.load + causes.latency + causes.tail;
  const Joules dynamic = dynamic_energy(chip, kernel.work, plan.device_read + plan.device_written);
  const Seconds power = power_time(chip, dynamic, played, context.sustained);
  const Seconds main = kernel.overlap_norm > 0 ? overlap(kernel.overlap_norm, played, power) : std::max(played, power);
  causes.power = main - played;
  causes.other_kernels = kernel.more;

  const ResourceTimes times{.matrix = multiplying / static_cast<double>(chip.units),
                            .vector = {},
                            .l2 = std::max(cache, memory > causes.load ? Seconds(0) : causes.load),
                            .hbm = memory,
                            .latency = causes.latency,
                            .power = power > played ? power : Seconds(0)};
  KernelPrice price = close_price(context, kernel.work, plan, times, main - ends, causes.launch + kernel.more + ends);
  price.causes = causes;
  price.events = events;
  price.coarseness = coarseness;
  if (context.keeps_grids) price.grids = std::make_shared<const std::vector<tile::Grid>>(grids);
  return price;
}

}  // namespace mlosim::chip
