// A fused attention plan as CTAs for the tile player: each query tile (or part of its keys) a CTA that visits its key
// tiles in turn. Causal imbalance, waves, and keys found in the caches because another head or tile has just read them
// come out of the play.
#include <algorithm>
#include <cmath>
#include <map>

#include "sim/chip/flash_attention.hpp"
#include "sim/chip/play_kernel.hpp"

namespace mlosim::chip {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

constexpr double kWavesTogether = 8;  // of CTAs, whose heads a scheduler goes through before it takes up others

// Key tiles that a CTA visits, and the keys in them.
struct Visits {
  std::int64_t first = 0, count = 0, keys = 0;
};

Visits visits_from(const FlashPlan& plan, std::int64_t first, std::int64_t end) {
  const std::int64_t seen = plan.problem.causal || plan.problem.window == 0
                                ? plan.problem.seq_kv
                                : std::min(plan.problem.window, plan.problem.seq_kv);
  return {.first = first,
          .count = end - first,
          .keys = std::max<std::int64_t>(0, std::min(end * plan.tile_cols, seen) - first * plan.tile_cols)};
}

// CTAs of one problem, those with most to do first, as schedulers of causal kernels have it.
std::vector<Visits> visits_of_problem(const FlashPlan& plan) {
  std::vector<Visits> ctas;
  const auto parts = static_cast<std::int64_t>(plan.parts);
  for (std::int64_t tile = plan.keys.query_tiles; tile-- > 0;) {
    const KeyRange range = key_range_of(plan.problem, plan.tile_rows, plan.tile_cols, tile);
    const std::int64_t each = std::max<std::int64_t>(1, (range.count() + parts - 1) / parts);
    std::int64_t listed = 0;
    for (std::int64_t first = range.first; first < std::max(range.end, range.first + 1); first += each, ++listed)
      ctas.push_back(visits_from(plan, first, std::min(first + each, std::max(range.end, range.first + 1))));
    if (plan.parts_may_be_empty) ctas.resize(ctas.size() + static_cast<std::size_t>(parts - listed));
  }
  return ctas;
}

}  // namespace

tile::Grid grid_of_flash(const FlashPlan& plan, const KernelContext& context) {
  const PlayLimits limits(context);
  const std::vector<Visits> problem = visits_of_problem(plan);
  const double ctas = plan.problems * static_cast<double>(problem.size());
  const auto per_slice =
      static_cast<std::int64_t>(std::ceil(d(plan.keys.heaviest) / plan.parts / limits.steps_of(ctas)));
  const std::int64_t all_tiles = (plan.problem.seq_kv + plan.tile_cols - 1) / plan.tile_cols;
  const auto slices = static_cast<std::uint32_t>((all_tiles + per_slice - 1) / per_slice);
  const double panels = std::ceil(plan.problems / plan.sharers);

  // Of what the kernel reads, keys and values are what its CTAs go through; the rest is queries and results.
  const Bytes keys = std::min(panels * d(plan.problem.seq_kv) * plan.key, plan.fresh + plan.cached);
  const Bytes fresh_keys = std::max(Bytes(0), keys - plan.cached);
  const Warmth warmth = warmth_of(context, plan.fresh + plan.cached);
  const Bytes rows = plan.fresh - fresh_keys;

  tile::Grid grid;
  grid.name = "attention";
  grid.operands[0] = {.panels = static_cast<std::uint32_t>(panels),
                      .slices = slices,
                      .slice = keys / (panels * slices),
                      .warm = (fresh_keys * warmth.fresh + (keys - fresh_keys) * warmth.cached) / keys};
  grid.resident = plan.hides_step ? 2 : plan.ctas_per_unit;
  const double share = plan.hides_step ? 1 : d(plan.ctas_per_unit);
  std::map<std::pair<std::int64_t, std::uint32_t>, std::uint32_t> kinds;  // by keys and steps
  grid.ctas.reserve(static_cast<std::size_t>(ctas));
  // Problems that fill the units a few times over are dispatched together, their long tiles first.
  const auto problems = static_cast<std::int64_t>(plan.problems);
  const auto together = plan.spreads_sharers
                            ? problems
                            : static_cast<std::int64_t>(std::ceil(kWavesTogether * plan.slots(context.chip) /
                                                                  static_cast<double>(problem.size())));
  for (std::int64_t group = 0; group < problems; group += together) {
    for (const Visits& visits : problem) {
      for (std::int64_t p = group; p < std::min(problems, group + together); ++p) {
        const auto panel =
            static_cast<std::uint32_t>(plan.spreads_sharers ? std::fmod(d(p), panels) : d(p) / plan.sharers);
        const auto first = static_cast<std::uint32_t>(visits.first / per_slice);
        const auto end = static_cast<std::uint32_t>((visits.first + visits.count + per_slice - 1) / per_slice);
        const std::uint32_t steps = std::max<std::uint32_t>(1, end - first);
        const auto [kind, is_new] =
            kinds.try_emplace({visits.keys, steps}, static_cast<std::uint32_t>(grid.kinds.size()));
        if (is_new) {
          const Seconds work = d(visits.count) * plan.visit() + plan.ends;
          grid.kinds.push_back({.prologue = {},
                                .multiply = work / (share * steps),
                                .wait = (work + d(visits.count) * plan.step) / steps,
                                .load = {d(visits.keys) * plan.key / steps},
                                .cache_share = {plan.load_share},
                                .epilogue = {},
                                .store = rows / ctas,
                                .store_missing = 1 - warmth.fresh});
        }
        grid.ctas.push_back(
            {.kind = kind->second, .steps = steps, .first_slice = first, .panel = {panel, tile::kNoPanel}});
      }
    }
  }
  grid.period = problem.size() * static_cast<std::size_t>(std::min(together, problems));
  if (!plan.in_waves) {
    FlashPlan even = plan;
    even.tail = kUnevenWaves;
    const double slots = plan.slots(context.chip);
    grid.straggle = std::max(Seconds(0), compute_time(plan, slots) - compute_time(even, slots));
  }
  grid.shared_norm = plan.overlap_norm;
  grid.memory_efficiency = plan.memory_efficiency;
  grid.cache_efficiency = context.chip.first_shared_cache()->efficiency;
  grid.kept_share = context.chip.last_cache()->reuse_share;
  grid.step_bytes = panels * grid.operands[0].slice;
  grid.fixed = plan.fixed;
  const double visits = d(plan.keys.heaviest) / plan.parts;
  grid.merged_steps = PlayLimits::merged(std::ceil(visits), std::min(std::ceil(visits), limits.steps_of(ctas)));
  return grid;
}

}  // namespace mlosim::chip
