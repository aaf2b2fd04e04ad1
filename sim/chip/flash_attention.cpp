#include "sim/chip/flash_attention.hpp"

#include <algorithm>
#include <cmath>

#include "sim/chip/pricing.hpp"
#include "sim/chip/stream.hpp"

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

// Bytes that a kernel moves, and how much of the time it takes is theirs.
struct Traffic {
  Bytes device;  // at the device memory
  Bytes shared;  // from the cache
  Seconds time;
};

// The cached keys and values are as warm as everything that is touched between two uses leaves them; the rest was
// written by the kernel before this one.
Traffic traffic_of(const KernelContext& context, Bytes fresh, Bytes cached, double efficiency) {
  const double fresh_hit = resident_share(context.chip, fresh + cached);
  const double cached_hit = resident_share(context.chip, fresh + cached + context.operands.between_uses);
  Traffic traffic;
  traffic.device = fresh * (1 - fresh_hit) + cached * (1 - cached_hit);
  traffic.shared = fresh + cached;
  traffic.time = stream_time(context.chip, fresh, fresh_hit, efficiency) +
                 stream_time(context.chip, cached, cached_hit, efficiency);
  return traffic;
}

}  // namespace

KernelPrice price_flash_prefill(const FlashPrefill& attention, const spec::AttentionPrefillParameters& parameters,
                                const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  QueryProblem problem = attention.problem;
  if (!parameters.skips_window) problem.window = 0;
  const KeyTiles keys = count_key_tiles(problem, parameters.tile_rows, parameters.tile_cols);
  const PairTime pair = pair_time(context, attention.work.matrix_dtype, attention.width, parameters.width_granule);
  const bool narrow = work::bytes_per_element(attention.work.matrix_dtype) <= Bytes(1);
  const double efficiency = narrow ? parameters.matrix_efficiency_8bit : parameters.matrix_efficiency;
  const double pairs_per_visit = d(parameters.tile_rows * parameters.tile_cols);
  const Seconds matrix_visit = pair.matrix * (pairs_per_visit / efficiency);
  const Seconds exponential_visit = pair.exponential * (pairs_per_visit * parameters.exponential_weight);
  const Seconds visit = matrix_visit + exponential_visit;
  const Seconds lone_visit = visit + parameters.key_step / chip.clock;
  const Seconds ends = parameters.tile_overhead / chip.clock;

  const double units = d(chip.units);
  const double query_tiles = attention.problems * d(keys.query_tiles);
  const bool may_split = problem.seq_q <= parameters.split_queries && keys.heaviest > 1;
  const double parts =
      may_split ? std::clamp(std::floor(units / query_tiles), 1.0, static_cast<double>(keys.heaviest)) : 1;
  const double tiles = query_tiles * parts;
  const double visits = attention.problems * d(keys.visits);
  const Seconds heaviest = std::ceil(d(keys.heaviest) / parts) * lone_visit + ends;
  const Seconds compute = std::max(heaviest, (visits * visit + tiles * ends) / units + parameters.tail * heaviest);

  const double device_efficiency = chip.device_memory().efficiency;
  const Traffic main =
      traffic_of(context, attention.work.bytes() - attention.cached, attention.cached, device_efficiency);
  const Bytes appended = attention.uses_cache ? attention.append * parameters.append_passes : Bytes(0);
  const Traffic append = traffic_of(context, appended, Bytes(0), device_efficiency);

  KernelPlan plan;
  plan.tile_m = parameters.tile_rows;
  plan.tile_n = parameters.tile_cols;
  plan.tile_k = attention.width.key;
  plan.split = static_cast<std::int64_t>(parts);
  plan.tiles = tiles;
  plan.waves = std::ceil(tiles / units);
  plan.active_units = std::min(tiles, units);
  plan.kernels = appended > Bytes(0) ? 2 : 1;
  plan.shared_cache = main.shared + append.shared;
  const Bytes device = main.device + append.device;
  const double written = attention.work.written / attention.work.bytes();
  plan.device_written = device * written;
  plan.device_read = device - plan.device_written;

  const Seconds undisturbed = append.time + overlap(parameters.overlap_norm, compute, main.time);
  const Seconds power = power_time(chip, dynamic_energy(chip, attention.work, device), undisturbed, context.sustained);
  const Seconds compute_share = (visits / units) * visit;
  const ResourceTimes times{.matrix = (visits / units) * matrix_visit,
                            .vector = (visits / units) * exponential_visit,
                            .l2 = {},
                            .hbm = main.time + append.time,
                            .latency = compute - compute_share,
                            .power = power > undisturbed ? power : Seconds(0)};
  return close_price(context, attention.work, plan, times, std::max(undisturbed, power),
                     attention.uses_cache ? parameters.fixed : parameters.fixed_encoder);
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

KernelPrice price_flash_decode(const FlashDecode& attention, const spec::AttentionDecodeParameters& parameters,
                               double exponential_weight, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const double ctas_per_unit = d(parameters.ctas_per_unit);
  const double slots = d(chip.units) * ctas_per_unit;
  // Query heads of a KV head that one CTA takes, and CTAs that thus read the same keys.
  const std::int64_t together =
      parameters.heads_per_cta > 0 ? std::min(parameters.heads_per_cta, attention.queries) : attention.queries;
  const double groups = attention.problems * d((attention.queries + together - 1) / together);
  const std::int64_t keys = parameters.skips_window ? attention.keys : attention.all_keys;
  const Bytes hidden = parameters.skips_window ? Bytes(0) : attention.hidden;
  const double key_tiles = std::ceil(d(keys) / d(parameters.tile_cols));
  const double parts = parts_of_keys(groups, slots, key_tiles, parameters);
  const double tiles_per_part = std::ceil(key_tiles / parts);
  const double ctas = groups * parts;

  const PairTime pair = pair_time(context, attention.work.matrix_dtype, attention.width, parameters.width_granule);
  const double pairs_per_tile = d(round_up(together, parameters.row_granule) * parameters.tile_cols);
  const Seconds matrix_tile = pair.matrix * (pairs_per_tile * ctas_per_unit / parameters.matrix_efficiency);
  const Seconds exponential_tile = pair.exponential * (pairs_per_tile * ctas_per_unit * exponential_weight);
  const Seconds ends = (attention.narrow_cache ? parameters.tile_overhead_8bit.value_or(parameters.tile_overhead)
                                               : parameters.tile_overhead) /
                       chip.clock;
  const Seconds tile = matrix_tile + exponential_tile + parameters.key_step / chip.clock;
  const Seconds cta = ends + tiles_per_part * tile;
  const Seconds compute = std::max(cta, (ctas / slots + parameters.tail) * cta);

  const Bytes partials = parts > 1 ? Bytes(kPartialBytes * ctas * d(together * (attention.width.value + 2))) : Bytes(0);
  const Traffic traffic = traffic_of(context, attention.work.bytes() - attention.cached + partials,
                                     attention.cached + hidden, parameters.memory_efficiency);

  KernelPlan plan;
  plan.tile_m = round_up(together, parameters.row_granule);
  plan.tile_n = parameters.tile_cols;
  plan.tile_k = attention.width.key;
  plan.split = static_cast<std::int64_t>(parts);
  plan.tiles = ctas;
  plan.waves = std::ceil(ctas / slots);
  plan.active_units = std::min(ctas, d(chip.units));
  plan.kernels = parts > 1 ? 2 : 1;
  plan.shared_cache = traffic.shared;
  plan.device_written = std::min(attention.work.written, traffic.device);
  plan.device_read = traffic.device - plan.device_written;

  const Seconds undisturbed = overlap(parameters.overlap_norm, compute, traffic.time);
  const Seconds power =
      power_time(chip, dynamic_energy(chip, attention.work, traffic.device), undisturbed, context.sustained);
  const double rounds = tiles_per_part * ctas / slots;
  const ResourceTimes times{.matrix = rounds * matrix_tile,
                            .vector = rounds * exponential_tile,
                            .l2 = {},
                            .hbm = traffic.time,
                            .latency = compute - rounds * (matrix_tile + exponential_tile),
                            .power = power > undisturbed ? power : Seconds(0)};
  const Seconds fixed = attention.narrow_cache ? parameters.fixed_8bit.value_or(parameters.fixed) : parameters.fixed;
  const Seconds overhead = fixed + (parts > 1 ? parameters.split_reduction : Seconds(0));
  return close_price(context, attention.work, plan, times, std::max(undisturbed, power), overhead);
}

}  // namespace mlosim::chip
