#include "sim/chip/play_kernel.hpp"

#include <algorithm>

#include "sim/chip/pricing.hpp"

namespace mlosim::chip {
namespace {

constexpr double kMostSteps = 16;  // of a CTA: more change no time by a percent

// A grid of more CTAs than may be played, cut down to whole waves and what the last one has left.
struct Folded {
  std::size_t ctas = 0;       // that are played
  double waves_left_out = 0;  // of `wave` CTAs each
  std::size_t wave = 0;
};

Folded fold(const tile::Grid& grid, double units, double events) {
  const std::size_t all = grid.ctas.size();
  const double steps = static_cast<double>(grid.ctas.front().steps) + 2;
  const auto wave = static_cast<std::size_t>(std::floor(units / static_cast<double>(grid.units_per_cta)) *
                                             static_cast<double>(grid.resident));
  const auto affordable = static_cast<std::size_t>(std::max(events / steps, 6.0 * static_cast<double>(wave)));
  if (all <= affordable) return {.ctas = all, .waves_left_out = 0, .wave = wave};
  const std::size_t left_out = (all - affordable) / wave;
  return {.ctas = all - left_out * wave, .waves_left_out = static_cast<double>(left_out), .wave = wave};
}

tile::GridRun play_alone(const tile::Grid& grid, const KernelContext& context, std::uint64_t& events) {
  const tile::PlayedGrids played = tile::play_grids(context.chip, {{&grid}});
  events += played.events;
  return played.runs.front().front();
}

}  // namespace

PlayLimits::PlayLimits(const KernelContext& context)
    : events(static_cast<double>(context.max_events)),
      memory_rate(context.chip.device_memory().bandwidth.si()),
      cache_rate(context.chip.first_shared_cache()->bandwidth.si()) {}

double PlayLimits::steps_of(double ctas) const { return std::clamp(std::floor(events / ctas) - 2, 1.0, kMostSteps); }

KernelPrice play_kernel(const tile::Grid& grid, const PlayedKernel& kernel, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const double units = static_cast<double>(chip.units);
  const Folded folded = fold(grid, units, static_cast<double>(context.max_events));
  std::uint64_t events = 0;
  tile::GridRun run;
  Seconds time;
  double scale = 1;
  if (folded.waves_left_out > 0) {
    tile::Grid some = grid;
    some.ctas.resize(folded.ctas);
    run = play_alone(some, context, events);
    const Seconds longer = run.end;
    some.ctas.resize(folded.ctas - 2 * folded.wave);
    const Seconds wave = (longer - play_alone(some, context, events).end) / 2;
    time = longer + folded.waves_left_out * wave;
    scale = static_cast<double>(grid.ctas.size()) / static_cast<double>(folded.ctas);
  } else {
    run = play_alone(grid, context, events);
    time = run.end;
  }

  KernelPlan plan = kernel.plan;
  plan.device_read = run.device_read * scale;
  plan.device_written = run.device_written * scale;
  plan.shared_cache = run.cache_bytes * scale;
  plan.cache_hit_rate = run.hit_rate();
  const Bytes device = plan.device_read + plan.device_written;
  const Seconds played = time - grid.fixed;
  const Seconds power = power_time(chip, dynamic_energy(chip, kernel.work, device), played, context.sustained);
  const Seconds main = kernel.overlap_norm > 0 ? overlap(kernel.overlap_norm, played, power) : std::max(played, power);

  const tile::SlotTime& slots = run.slots;
  const Seconds all = slots.fill + slots.compute + slots.load + slots.latency + slots.store + slots.idle;
  const auto share = [&](Seconds part) { return played * (part / all); };
  const Seconds ends = share(slots.fill + slots.store);
  const Seconds cache = plan.shared_cache / (chip.first_shared_cache()->bandwidth * grid.cache_efficiency);
  const Seconds memory = device / (chip.device_memory().bandwidth * grid.memory_efficiency);
  const ResourceTimes times{.matrix = run.multiplying * scale / units,
                            .vector = {},
                            .l2 = std::max(cache, memory > share(slots.load) ? Seconds(0) : share(slots.load)),
                            .hbm = memory,
                            .latency = share(slots.latency),
                            .power = power > played ? power : Seconds(0)};
  KernelPrice price = close_price(context, kernel.work, plan, times, main - ends, grid.fixed + kernel.more + ends);
  price.events = events;
  if (context.keeps_grids) price.grids = std::make_shared<const std::vector<tile::Grid>>(1, grid);
  price.causes = {.launch = grid.fixed,
                  .fill = share(slots.fill),
                  .compute = share(slots.compute),
                  .load = share(slots.load),
                  .latency = share(slots.latency),
                  .store = share(slots.store),
                  .tail = share(slots.idle),
                  .power = main - played,
                  .other_kernels = kernel.more};
  return price;
}

KernelPrice play_gemm_simt(const work::Gemm& op, const KernelContext& context) {
  const GemmProblem p = pose_gemm(op, context);
  const GemmChoice choice = plan_gemm(op, p, context);
  const work::OpWork work = work::work_of(op);
  return play_kernel(grid_of_gemm(p, choice.layout, PlayLimits(context)),
                     {.work = work,
                      .plan = describe_gemm(op, p, choice),
                      .more = Seconds(choice.cost.reduction) + quantiser_time(op, p, context),
                      .overlap_norm = p.g.overlap_norm},
                     context);
}

}  // namespace mlosim::chip
