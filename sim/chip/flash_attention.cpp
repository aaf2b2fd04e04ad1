#include "sim/chip/flash_attention.hpp"

#include <algorithm>
#include <cmath>

#include "sim/chip/play_kernel.hpp"
#include "sim/chip/pricing.hpp"
#include "sim/chip/stream.hpp"

namespace mlosim::chip {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

// Bytes that a kernel moves, and how much of the time it takes is theirs.
struct Traffic {
  Bytes device;  // at the device memory
  Bytes shared;  // from the cache
  Seconds time;
};

Traffic traffic_of(const KernelContext& context, Bytes fresh, Bytes cached, double efficiency) {
  const Warmth hit = warmth_of(context, fresh + cached);
  Traffic traffic;
  traffic.device = fresh * (1 - hit.fresh) + cached * (1 - hit.cached);
  traffic.shared = fresh + cached;
  traffic.time = stream_time(context.chip, fresh, hit.fresh, efficiency) +
                 stream_time(context.chip, cached, hit.cached, efficiency);
  return traffic;
}

// Time of the units' work, and how much of it is arithmetic.
struct Compute {
  Seconds time, matrix, exponential;
};

Compute compute_of(const FlashPlan& plan, double slots) {
  const double visits_per_part = std::ceil(d(plan.keys.heaviest) / plan.parts);
  const Seconds part = visits_per_part * (plan.visit() + plan.step);
  // Parts are of equal length, the last one's missing tiles apart.
  const double with_keys =
      plan.ctas() * (plan.parts_may_be_empty ? std::ceil(d(plan.keys.heaviest) / visits_per_part) / plan.parts : 1);
  const double visits = plan.parts > 1 ? with_keys * visits_per_part : plan.problems * d(plan.keys.visits);
  const Seconds each = plan.hides_step ? plan.visit() : plan.visit() + plan.step;
  const Seconds spread = (visits * each + plan.ctas() * plan.ends) / slots;
  const Seconds heaviest = plan.ends + part;
  const Seconds time = plan.in_waves ? plan.waves(slots) * plan.ends + std::ceil(with_keys / slots) * part
                                     : spread + plan.tail * heaviest;
  return {.time = std::max(heaviest, time),
          .matrix = (visits / slots) * plan.matrix_visit,
          .exponential = (visits / slots) * plan.exponential_visit};
}

KernelPrice estimate(const FlashPlan& plan, const work::OpWork& work, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const double slots = plan.slots(chip);
  const Compute compute = compute_of(plan, slots);
  Traffic main = traffic_of(context, plan.fresh, plan.cached, plan.memory_efficiency);
  const double again_hit = resident_share(chip, plan.cached / plan.parts);
  main.time += stream_time(chip, plan.again, again_hit, plan.memory_efficiency);
  main.device += plan.again * (1 - again_hit);
  main.shared += plan.again;
  const Traffic append = traffic_of(context, plan.appended, Bytes(0), plan.memory_efficiency);

  KernelPlan shown;
  shown.tile_m = plan.tile_rows;
  shown.tile_n = plan.tile_cols;
  shown.tile_k = plan.width.key;
  shown.split = static_cast<std::int64_t>(plan.parts);
  shown.tiles = plan.ctas();
  shown.waves = plan.waves(slots);
  shown.active_units = std::min(plan.ctas(), d(chip.units));
  shown.kernels = 1 + (plan.appended > Bytes(0) ? 1 : 0) + (plan.reduction > Seconds(0) ? 1 : 0);
  shown.shared_cache = main.shared + append.shared;
  const Bytes device = main.device + append.device;
  shown.device_written = device * (work.written / work.bytes());
  shown.device_read = device - shown.device_written;

  const Seconds undisturbed = append.time + overlap(plan.overlap_norm, compute.time, main.time);
  const Seconds power = power_time(chip, dynamic_energy(chip, work, device), undisturbed, context.sustained);
  const ResourceTimes times{.matrix = compute.matrix,
                            .vector = compute.exponential,
                            .l2 = {},
                            .hbm = main.time + append.time,
                            .latency = compute.time - compute.matrix - compute.exponential,
                            .power = power > undisturbed ? power : Seconds(0)};
  return close_price(context, work, shown, times, std::max(undisturbed, power), plan.fixed + plan.reduction);
}

}  // namespace

Warmth warmth_of(const KernelContext& context, Bytes own) {
  return {.fresh = resident_share(context.chip, own),
          .cached = resident_share(context.chip, own + context.operands.between_uses)};
}

Seconds compute_time(const FlashPlan& plan, double slots) { return compute_of(plan, slots).time; }

KernelPrice price_flash(const FlashPlan& plan, const work::OpWork& work, const KernelContext& context,
                        Fidelity fidelity) {
  const KernelPrice closed = estimate(plan, work, context);
  if (fidelity == Fidelity::analytic || !PlayLimits::can_list(plan.ctas()) || !can_be_played(closed, context))
    return closed;
  const Seconds append = traffic_of(context, plan.appended, Bytes(0), plan.memory_efficiency).time;
  return play_kernel({grid_of_flash(plan, context)},
                     {.work = work, .plan = closed.plan, .more = append + plan.reduction}, context);
}

}  // namespace mlosim::chip
