#include "sim/chip/flash_attention.hpp"

#include <algorithm>
#include <cmath>

#include "sim/chip/pricing.hpp"
#include "sim/chip/stream.hpp"

namespace mlosim::chip {
namespace {

constexpr double kOverlap = 4;              // p of compute against memory inside one kernel
constexpr std::int64_t kWidthGranule = 32;  // head dimensions are padded to what the kernels are compiled for
constexpr double kPartialBytes = 8;         // a partial result is written and read as fp32

double d(std::int64_t n) { return static_cast<double>(n); }

std::int64_t round_up(std::int64_t n, std::int64_t granule) { return (n + granule - 1) / granule * granule; }

// Times of one query-key pair on one unit at full rates.
struct PairTime {
  Seconds matrix, exponential;
};

PairTime pair_time(const KernelContext& context, work::DType arithmetic, HeadWidth width) {
  const spec::ChipSpec& chip = context.chip;
  const FlopsPerSecond unit_rate = require_matrix_rate(chip, arithmetic) / d(chip.units);
  const std::int64_t padded = round_up(width.key, kWidthGranule) + round_up(width.value, kWidthGranule);
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
  const KeyTiles keys = count_key_tiles(attention.problem, parameters.tile_rows, parameters.tile_cols);
  const PairTime pair = pair_time(context, attention.work.matrix_dtype, attention.width);
  const bool narrow = work::bytes_per_element(attention.work.matrix_dtype) <= Bytes(1);
  const double efficiency = narrow ? parameters.matrix_efficiency_8bit : parameters.matrix_efficiency;
  const double pairs_per_visit = d(parameters.tile_rows * parameters.tile_cols);
  const Seconds matrix_visit = pair.matrix * (pairs_per_visit / efficiency);
  const Seconds exponential_visit = pair.exponential * (pairs_per_visit * parameters.exponential_weight);
  const Seconds visit = matrix_visit + exponential_visit;
  const Seconds ends = parameters.tile_overhead / chip.clock;

  const double units = d(chip.units);
  const double tiles = attention.problems * d(keys.query_tiles);
  const double visits = attention.problems * d(keys.visits);
  const Seconds heaviest = d(keys.heaviest) * visit + ends;
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
  plan.tiles = tiles;
  plan.waves = std::ceil(tiles / units);
  plan.active_units = std::min(tiles, units);
  plan.kernels = appended > Bytes(0) ? 2 : 1;
  plan.shared_cache = main.shared + append.shared;
  const Bytes device = main.device + append.device;
  const double written = attention.work.written / attention.work.bytes();
  plan.device_written = device * written;
  plan.device_read = device - plan.device_written;

  const Seconds undisturbed = append.time + overlap(kOverlap, compute, main.time);
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

KernelPrice price_flash_decode(const FlashDecode& attention, const spec::AttentionDecodeParameters& parameters,
                               double exponential_weight, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const double ctas_per_unit = d(parameters.ctas_per_unit);
  const double slots = d(chip.units) * ctas_per_unit;
  const double key_tiles = std::ceil(d(attention.keys) / d(parameters.tile_cols));
  const double wanted = std::clamp(std::floor(slots / attention.groups), 1.0, key_tiles);
  const double tiles_per_part = std::ceil(key_tiles / wanted);
  const double parts = std::ceil(key_tiles / tiles_per_part);
  const double ctas = attention.groups * parts;

  const PairTime pair = pair_time(context, attention.work.matrix_dtype, attention.width);
  const double pairs_per_tile = d(round_up(attention.queries, parameters.row_granule) * parameters.tile_cols);
  const Seconds matrix_tile = pair.matrix * (pairs_per_tile * ctas_per_unit / parameters.matrix_efficiency);
  const Seconds exponential_tile = pair.exponential * (pairs_per_tile * ctas_per_unit * exponential_weight);
  const Seconds ends = (attention.narrow_cache ? parameters.tile_overhead_8bit.value_or(parameters.tile_overhead)
                                               : parameters.tile_overhead) /
                       chip.clock;
  const Seconds cta = ends + tiles_per_part * (matrix_tile + exponential_tile);
  const Seconds compute = std::max(cta, (ctas / slots + parameters.tail) * cta);

  const Bytes partials =
      parts > 1 ? Bytes(kPartialBytes * ctas * d(attention.queries * (attention.width.value + 2))) : Bytes(0);
  const Traffic traffic = traffic_of(context, attention.work.bytes() - attention.cached + partials, attention.cached,
                                     parameters.memory_efficiency);

  KernelPlan plan;
  plan.tile_m = round_up(attention.queries, parameters.row_granule);
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

  const Seconds undisturbed = overlap(kOverlap, compute, traffic.time);
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
