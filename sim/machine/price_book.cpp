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

const TaskPrice& PriceBook::price(const work::Operator& op) {
  const auto [entry, is_new] = prices_.try_emplace(op);
  if (is_new) entry->second = price_now(op);
  return entry->second;
}

TaskPrice PriceBook::price_now(const work::Operator& op) const {
  const spec::ChipSpec& chip = hardware_.system.chip;
  if (const auto* collective = std::get_if<work::Collective>(&op)) {
    const spec::CustomAllReduce* custom =
        hardware_.runtime.custom_all_reduce ? &*hardware_.runtime.custom_all_reduce : nullptr;
    const net::CollectivePrice price = net::estimate_collective(*collective, hardware_.system, custom);
    const Seconds time = fidelity_ == chip::Fidelity::roofline ? price.bound : price.time;
    const chip::Resource limiter = is_bound_by_volume(*collective, price.time, hardware_.system, custom)
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
  return from_kernel(
      chip::price_kernel(
          op, {.chip = chip, .runtime = hardware_.runtime, .operands = operands_, .sustained = sustained_}, fidelity_),
      chip.power.static_power());
}

}  // namespace mlosim::machine
