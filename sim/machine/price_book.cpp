#include "sim/machine/price_book.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/net/collective.hpp"

namespace mlosim::machine {
namespace {

TaskPrice from_kernel(const chip::KernelPrice& kernel, Watts static_power) {
  return {.time = kernel.time,
          .overhead = kernel.overhead,
          .bound = kernel.bounds.largest(),
          .limiter = kernel.limiter,
          .bound_by = kernel.bound_by(),
          .dynamic_energy = kernel.energy - static_power * kernel.time,
          .use = kernel.use,
          .kernels = kernel.plan.kernels,
          .is_collective = false,
          .kernel = kernel,
          .detail = chip::describe(kernel.plan)};
}

// The part of a collective's time that grows with its bytes: by the slope at its size.
double volume_share(const work::Collective& collective, Seconds time, const spec::Hardware& hardware,
                    const PriceOptions& options) {
  if (time <= Seconds(0)) return 0;
  constexpr double kStep = 0.01;
  work::Collective larger = collective;
  larger.bytes *= 1 + kStep;
  return (price_collective(larger, hardware, options).time - time) / (kStep * time);
}

JoulesPerByte energy_beyond(const spec::SystemSpec& system) {
  return system.scale_out ? system.scale_out->energy : JoulesPerByte(0);
}

// A collective's kernel holds its units and draws on the memories at the pace of the network.
chip::ChipUse use_of(const net::CollectivePrice& price, double volume, const spec::ChipSpec& chip) {
  if (price.time <= Seconds(0)) return {};
  const auto share = [&](const spec::MemoryLevel& level, Bytes bytes) {
    return std::min(1.0, bytes / (level.bandwidth * level.efficiency) / price.time);
  };
  const spec::MemoryLevel* cache = chip.first_shared_cache();
  return {.units = std::min(1.0, static_cast<double>(price.kernel.ctas) / static_cast<double>(chip.units)),
          .cache = cache ? share(*cache, price.kernel.cache_bytes) : 0,
          .memory = share(chip.device_memory(), price.kernel.device_bytes),
          .link = std::clamp(volume, 0.0, 1.0)};
}

}  // namespace

net::CollectivePrice price_collective(const work::Collective& op, const spec::Hardware& hardware,
                                      const PriceOptions& options) {
  const std::optional<spec::CustomAllReduce>& own = hardware.runtime.custom_all_reduce;
  return net::estimate_collective(op, hardware.system, own && options.custom_all_reduce ? &*own : nullptr);
}

TaskPrice price_operator(const work::Operator& op, const spec::Hardware& hardware, const PriceOptions& options) {
  const spec::ChipSpec& chip = hardware.system.chip;
  if (const auto* collective = std::get_if<work::Collective>(&op)) {
    const net::CollectivePrice price = price_collective(*collective, hardware, options);
    const Seconds time = options.fidelity == chip::Fidelity::roofline ? price.bound : price.time;
    const double volume = volume_share(*collective, price.time, hardware, options);
    const chip::Resource limiter = volume > 0.5 ? chip::Resource::link_bandwidth : chip::Resource::link_latency;
    return {.time = time,
            .overhead = Seconds(0),
            .bound = price.bound,
            .limiter = limiter,
            .bound_by = limiter,
            .dynamic_energy = price.kernel.device_bytes * chip.power.device_memory,
            .fabric_energy = (price.wire_bytes - price.crossing_bytes) * hardware.system.fabric.energy,
            .scale_out_energy = price.crossing_bytes * energy_beyond(hardware.system),
            .use = use_of(price, volume, chip),
            .kernels = 1,
            .is_collective = true,
            .detail = price.bottleneck.empty() ? std::string(price.algorithm)
                                               : fmt::format("{}, {}", price.algorithm, price.bottleneck)};
  }
  return from_kernel(chip::price_kernel(op,
                                        {.chip = chip,
                                         .runtime = hardware.runtime,
                                         .operands = options.operands,
                                         .sustained = options.sustained,
                                         .kernel = options.kernel,
                                         .max_events = options.max_events},
                                        options.fidelity),
                     chip.power.static_power());
}

const TaskPrice& PriceBook::price(const work::Operator& op) {
  const auto known = prices_.find(op);
  if (known != prices_.end()) return known->second;
  const TaskPrice& price = prices_.emplace(op, price_operator(op, hardware_, options_)).first->second;
  if (price.kernel) events_ += price.kernel->events;
  return price;
}

void PriceBook::forget_collectives() {
  std::erase_if(prices_, [](const auto& entry) { return entry.second.is_collective; });
}

}  // namespace mlosim::machine
