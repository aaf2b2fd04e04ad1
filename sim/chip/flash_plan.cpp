#include "sim/chip/flash_plan.hpp"

#include <algorithm>
#include <cmath>

#include "sim/chip/pricing.hpp"

namespace mlosim::chip {
namespace {

constexpr double kPartialBytes = 8;  // a partial result is written and read as fp32

double d(std::int64_t n) { return static_cast<double>(n); }

std::int64_t round_up(std::int64_t n, std::int64_t granule) { return (n + granule - 1) / granule * granule; }

// Times of one query-key pair on one unit at full rates.
struct PairTime {
  Seconds matrix, exponential;
};

// Head dimensions are padded to what the kernels are compiled for.
PairTime pair_time(const KernelContext& context, work::DType arithmetic, HeadWidth width, std::int64_t granule) {
  const spec::ChipSpec& chip = context.chip;
  const FlopsPerSecond unit_rate = require_matrix_rate(chip, arithmetic) / d(chip.units);
  const std::int64_t padded = round_up(width.key, granule) + round_up(width.value, granule);
  return {.matrix = Flops(2 * d(padded)) / unit_rate,
          .exponential = Seconds(1 / (chip.exponentials * chip.clock.si()))};
}

}  // namespace

FlashPlan plan_flash_prefill(const FlashPrefill& attention, const spec::AttentionPrefillParameters& parameters,
                             const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  FlashPlan plan;
  plan.problem = attention.problem;
  if (!parameters.skips_window) plan.problem.window = 0;
  plan.problems = attention.problems;
  plan.sharers = attention.sharers;
  plan.key = attention.key;
  plan.tile_rows = parameters.tile_rows;
  plan.tile_cols = parameters.tile_cols;
  plan.width = attention.width;
  plan.keys = count_key_tiles(plan.problem, plan.tile_rows, plan.tile_cols);
  // A problem's tiles are neighbours: those that share a load are never more than it has.
  plan.load_share = d(plan.tile_rows) /
                    std::clamp(d(parameters.load_rows), d(plan.tile_rows), d(plan.tile_rows * plan.keys.query_tiles));
  const double query_tiles = plan.problems * d(plan.keys.query_tiles);
  const bool may_split = plan.problem.seq_q <= parameters.split_queries && plan.keys.heaviest > 1;
  if (may_split) plan.parts = std::clamp(std::floor(d(chip.units) / query_tiles), 1.0, d(plan.keys.heaviest));

  const PairTime pair = pair_time(context, attention.work.matrix_dtype, attention.width, parameters.width_granule);
  const bool narrow = work::bytes_per_element(attention.work.matrix_dtype) <= Bytes(1);
  const double efficiency = narrow ? parameters.matrix_efficiency_8bit : parameters.matrix_efficiency;
  const double pairs_per_visit = d(plan.tile_rows * plan.tile_cols);
  plan.matrix_visit = pair.matrix * (pairs_per_visit / efficiency);
  plan.exponential_visit = pair.exponential * (pairs_per_visit * parameters.exponential_weight);
  plan.step = parameters.key_step / chip.clock;
  plan.hides_step = true;
  plan.ends = parameters.tile_overhead / chip.clock;

  if (attention.backward) {
    const double slower = work::kBackwardProducts / parameters.backward_rate;
    for (Seconds* part : {&plan.matrix_visit, &plan.exponential_visit, &plan.step, &plan.ends}) *part *= slower;
  }

  plan.fresh = attention.work.bytes() - attention.cached;
  plan.cached = attention.cached;
  if (attention.uses_cache) plan.appended = attention.append * parameters.append_passes;
  plan.memory_efficiency = chip.device_memory().efficiency;
  plan.tail = parameters.tail;
  plan.overlap_norm = parameters.overlap_norm;
  plan.fixed = attention.uses_cache ? parameters.fixed : parameters.fixed_encoder;
  return plan;
}

double parts_of_keys(double groups, double slots, double key_tiles, const spec::AttentionDecodeParameters& parameters) {
  const double most = std::max(1.0, std::floor(key_tiles / d(parameters.part_tiles)));
  double wanted = 1;
  switch (parameters.split) {
    case spec::KeySplit::none:
      break;
    case spec::KeySplit::fill:
      wanted = std::clamp(std::floor(slots / groups), 1.0, most);
      break;
    case spec::KeySplit::constant:
      return d(parameters.parts);
    case spec::KeySplit::waves: {
      const double most_parts = std::min(most, std::round(std::sqrt(most * d(parameters.waves))));
      return std::max(1.0, std::min(most_parts, std::floor(d(parameters.waves) * slots / groups)));
    }
    case spec::KeySplit::efficient: {
      // How full the last wave is with a number of parts; from nearly full units on, nothing is split.
      constexpr double kFull = 0.8, kNearBest = 0.85, kMostParts = 128;
      const auto fullness = [&](double parts) { return parts * groups / slots / std::ceil(parts * groups / slots); };
      const double bound = std::min({most, kMostParts, std::ceil(slots)});
      double best = 0;
      if (groups >= kFull * slots) break;
      for (double parts = 1; parts <= bound; ++parts) best = std::max(best, fullness(parts));
      while (wanted < bound && fullness(wanted) < kNearBest * best) ++wanted;
      break;
    }
  }
  return std::ceil(key_tiles / std::ceil(key_tiles / wanted));
}

FlashPlan plan_flash_decode(const FlashDecode& attention, const spec::AttentionDecodeParameters& parameters,
                            double exponential_weight, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  // Query heads of a KV head that one CTA takes, and CTAs that thus read the same keys.
  const std::int64_t together =
      parameters.heads_per_cta > 0 ? std::min(parameters.heads_per_cta, attention.queries) : attention.queries;
  const std::int64_t keys = parameters.skips_window ? attention.keys : attention.all_keys;
  FlashPlan plan;
  plan.problem = {.seq_q = 1, .seq_kv = keys, .packed = together, .causal = false};
  plan.sharers = d((attention.queries + together - 1) / together);
  plan.problems = attention.problems * plan.sharers;
  plan.key = attention.key;
  plan.tile_rows = round_up(together, parameters.row_granule);
  plan.tile_cols = parameters.tile_cols;
  plan.width = attention.width;
  plan.keys = count_key_tiles(plan.problem, plan.tile_rows, plan.tile_cols);
  plan.ctas_per_unit = parameters.ctas_per_unit;
  const bool by_all_keys = parameters.split == spec::KeySplit::waves;
  const std::int64_t divided = by_all_keys ? attention.all_keys : keys;
  plan.parts = parts_of_keys(plan.problems, plan.slots(chip), std::ceil(d(divided) / d(plan.tile_cols)), parameters);

  plan.parts_may_be_empty = by_all_keys || parameters.split == spec::KeySplit::constant;
  plan.spreads_sharers = parameters.order == spec::GridOrder::sequences;

  const PairTime pair = pair_time(context, attention.work.matrix_dtype, attention.width, parameters.width_granule);
  const double pairs = d(plan.tile_rows * plan.tile_cols * plan.ctas_per_unit);
  plan.matrix_visit = pair.matrix * (pairs / parameters.matrix_efficiency);
  plan.exponential_visit = pair.exponential * (pairs * exponential_weight);
  plan.step = parameters.key_step / chip.clock;
  if (parameters.stream_rate > Bytes(0)) {
    const Bytes key = attention.cached / (attention.problems * d(std::max<std::int64_t>(1, attention.keys)));
    plan.step += d(plan.tile_cols) * (key / parameters.stream_rate) / chip.clock;
  }
  plan.ends = (attention.narrow_cache ? parameters.tile_overhead_8bit.value_or(parameters.tile_overhead)
                                      : parameters.tile_overhead) /
              chip.clock;

  plan.fresh = attention.work.bytes() - attention.cached;
  if (plan.parts > 1) plan.fresh += Bytes(kPartialBytes * plan.ctas() * d(together * (attention.width.value + 2)));
  plan.cached = attention.cached + (parameters.skips_window ? Bytes(0) : attention.hidden);
  if (plan.spreads_sharers) plan.again = plan.cached * (plan.readings(chip) - 1);
  plan.memory_efficiency = parameters.memory_efficiency;
  plan.in_waves = !parameters.tail;
  plan.tail = parameters.tail.value_or(0);
  plan.overlap_norm = parameters.overlap_norm;
  plan.fixed = attention.narrow_cache ? parameters.fixed_8bit.value_or(parameters.fixed) : parameters.fixed;
  if (plan.parts > 1) plan.reduction = parameters.split_reduction;
  return plan;
}

}  // namespace mlosim::chip
