#include "sim/chip/pricing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>
#include <vector>

namespace mlosim::chip {

FlopsPerSecond require_matrix_rate(const spec::ChipSpec& chip, work::DType arithmetic) {
  if (const auto rate = chip.matrix_rate(arithmetic, chip.clock)) return *rate;
  std::vector<std::string_view> known;
  for (const auto& [dtype, rate] : chip.matrix) known.push_back(work::name_of(dtype));
  throw spec::InputError(fmt::format("{} has no {} arithmetic", chip.name, work::name_of(arithmetic)),
                         fmt::format("it has {}", fmt::join(known, ", ")));
}

Bounds bounds_of(const work::OpWork& work, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  Bounds bounds;
  if (work.matrix > Flops(0)) bounds.matrix = work.matrix / require_matrix_rate(chip, work.matrix_dtype);
  bounds.vector = work.vector / chip.vector_rate();
  bounds.vector =
      std::max(bounds.vector,
               Seconds(work.exponentials / (chip.exponentials * static_cast<double>(chip.units) * chip.clock.si())));
  // What the largest cache can keep from one use to the next never comes from the device memory.
  Bytes kept;
  for (const spec::MemoryLevel& level : chip.levels) {
    if (level.policy == spec::Policy::memory) continue;
    const double copies = level.sharing == spec::Sharing::unit ? static_cast<double>(chip.units) : 1;
    kept = std::max(kept, level.capacity * copies);
  }
  // Weights are used again only after everything else in between; what the operator before has written may still be
  // there.
  const auto missing = [&](Bytes part, Bytes touched) {
    return touched <= kept ? Bytes(0) : part * (1 - kept / touched);
  };
  const Bytes own = work.bytes();
  const Bytes cycle =
      own + context.operands.between_uses + (context.operands.rotates_weights ? work.weights : Bytes(0));
  bounds.memory = (missing(work.weights, cycle) + missing(own - work.weights, own)) / chip.device_memory().bandwidth;
  return bounds;
}

double cyclic_hit_share(Bytes footprint, Bytes effective_capacity) {
  constexpr double kEdge = 0.06;
  return std::clamp((1 + kEdge - footprint / effective_capacity) / kEdge, 0.0, 1.0);
}

Seconds power_time(const spec::ChipSpec& chip, Joules dynamic, Seconds undisturbed, bool sustained) {
  const spec::PowerSpec& power = chip.power;
  const double headroom = sustained ? 0 : power.burst_headroom / (1 + undisturbed / power.burst_window);
  return dynamic * (sustained ? power.sustained_energy : 1) / (power.cap * (1 - power.static_share) * (1 + headroom));
}

Joules dynamic_energy(const spec::ChipSpec& chip, const work::OpWork& work, Bytes device_bytes) {
  return energy_of(chip, work, device_bytes, Seconds(0)).total();
}

EnergyByPart energy_of(const spec::ChipSpec& chip, const work::OpWork& work, Bytes device_bytes, Seconds time) {
  return {.static_power = chip.power.static_power() * time,
          .matrix = work.matrix > Flops(0) ? work.matrix * chip.matrix_energy(work.matrix_dtype) : Joules(0),
          .vector = work.vector * chip.power.vector,
          .memory = device_bytes * chip.power.device_memory};
}

Resource limiter_of(const ResourceTimes& times) {
  Resource limiter = Resource::latency;
  Seconds most = times.latency;
  for (const auto& [time, resource] :
       {std::pair{times.l2, Resource::l2_bandwidth}, std::pair{times.vector, Resource::vector_unit},
        std::pair{times.hbm, Resource::hbm_bandwidth}, std::pair{times.matrix, Resource::matrix_unit},
        std::pair{times.power, Resource::power}}) {
    if (time > most) {
      most = time;
      limiter = resource;
    }
  }
  return limiter;
}

ChipUse use_of(const KernelPlan& plan, const spec::ChipSpec& chip, Seconds main) {
  if (main <= Seconds(0)) return {};
  const double units = static_cast<double>(chip.units);
  const double ctas = plan.tiles * static_cast<double>(plan.units_per_tile) / units;
  const bool is_array = chip.kind == spec::ChipKind::systolic;  // a core runs one program at a time
  ChipUse use{.units = is_array ? 1 : ctas > 1 ? ctas / std::ceil(ctas) : std::min(1.0, plan.active_units / units)};
  const auto share = [&](const spec::MemoryLevel& level, Bytes bytes) {
    return std::min(1.0, bytes / (level.bandwidth * level.efficiency) / main);
  };
  if (const spec::MemoryLevel* cache = chip.first_shared_cache()) use.cache = share(*cache, plan.shared_cache);
  use.memory = share(chip.device_memory(), plan.device_read + plan.device_written);
  return use;
}

KernelPrice close_price(const KernelContext& context, const work::OpWork& work, const KernelPlan& plan,
                        const ResourceTimes& times, Seconds main, Seconds overhead) {
  KernelPrice price;
  price.plan = plan;
  price.bounds = bounds_of(work, context);
  price.overhead = overhead;
  price.time = std::max(main + overhead, price.bounds.largest());
  price.limiter = limiter_of(times);
  price.use = use_of(plan, context.chip, price.time - price.overhead);
  price.work = work;
  price.energy_by_part = energy_of(context.chip, work, plan.device_read + plan.device_written, price.time);
  if (context.sustained) price.energy_by_part.scale_work(context.chip.power.sustained_energy);
  price.energy = price.energy_by_part.total();
  return price;
}

}  // namespace mlosim::chip
