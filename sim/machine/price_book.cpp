#include "sim/machine/price_book.hpp"

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
          .kernels = kernel.plan.kernels,
          .is_collective = false,
          .kernel = kernel,
          .detail = chip::describe(kernel.plan)};
}

// Whether most of a collective's time grows with its bytes: by the slope at its size.
bool is_bound_by_volume(const work::Collective& collective, Seconds time, const spec::SystemSpec& system,
                        const spec::CustomAllReduce* custom) {
  constexpr double kStep = 0.01;
  work::Collective larger = collective;
  larger.bytes *= 1 + kStep;
  return net::estimate_collective(larger, system, custom).time - time > 0.5 * kStep * time;
}

}  // namespace

TaskPrice price_operator(const work::Operator& op, const spec::Hardware& hardware, const PriceOptions& options) {
  const spec::ChipSpec& chip = hardware.system.chip;
  if (const auto* collective = std::get_if<work::Collective>(&op)) {
    const std::optional<spec::CustomAllReduce>& own = hardware.runtime.custom_all_reduce;
    const spec::CustomAllReduce* custom = own && options.custom_all_reduce ? &*own : nullptr;
    const net::CollectivePrice price = net::estimate_collective(*collective, hardware.system, custom);
    const Seconds time = options.fidelity == chip::Fidelity::roofline ? price.bound : price.time;
    const chip::Resource limiter = is_bound_by_volume(*collective, price.time, hardware.system, custom)
                                       ? chip::Resource::link_bandwidth
                                       : chip::Resource::link_latency;
    return {.time = time,
            .overhead = Seconds(0),
            .bound = price.bound,
            .limiter = limiter,
            .bound_by = limiter,
            .dynamic_energy = {},
            .kernels = 1,
            .is_collective = true,
            .detail = std::string(price.algorithm)};
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

}  // namespace mlosim::machine
