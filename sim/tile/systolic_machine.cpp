#include "sim/tile/systolic_machine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/spec/diagnostics.hpp"
#include "sim/units/check.hpp"

namespace mlosim::tile {

namespace {

// The level of the two that is farther from the units; null where the chip has neither.
const spec::MemoryLevel* outer_level(const spec::ChipSpec& chip, const std::string& from, const std::string& to) {
  const spec::MemoryLevel* outer = nullptr;
  for (const spec::MemoryLevel& level : chip.levels) {
    if (level.name == from || level.name == to) outer = &level;
  }
  return outer;
}

}  // namespace

DmaPath path_between(const spec::ChipSpec& chip, const std::string& from, const std::string& to) {
  const spec::MemoryLevel* outer = outer_level(chip, from, to);
  const auto found = chip.systolic.paths.find(from + "_" + to);
  const bool is_measured = found != chip.systolic.paths.end();
  if (!is_measured && (chip.find_level(from) == nullptr || chip.find_level(to) == nullptr))
    throw spec::InputError(fmt::format("{} has no path from {} to {}", chip.name, from, to), "name two of its levels");
  spec::PathParameters path;
  if (is_measured) path = found->second;
  if (!is_measured && outer == &chip.device_memory()) path.core = path.chip = chip.systolic.memory_efficiency;
  const bool needs_level = !path.latency || !path.rate;
  if (needs_level && outer == nullptr)
    throw spec::InputError(
        fmt::format("the path from {} to {} of {} has no level to take its rate from", from, to, chip.name),
        "give it 'rate' and 'latency'");
  const BytesPerSecond rate = path.rate ? *path.rate : outer->bandwidth;
  return {.latency = path.latency ? *path.latency : outer->latency, .core = path.core * rate, .chip = path.chip * rate};
}

SystolicMachine build_machine(const spec::ChipSpec& chip) {
  const spec::MemoryLevel* pad = chip.scratchpad();
  MLOSIM_CHECK(pad != nullptr);
  const spec::SystolicParameters& parameters = chip.systolic;
  const std::string& memory = chip.device_memory().name;
  return {
      .clock = chip.clock,
      .cores = chip.units,
      .array = {.rows = chip.array.rows,
                .cols = chip.array.cols,
                .count = chip.array.count,
                .efficiency = parameters.matrix_efficiency,
                .load = parameters.weight_load,
                .near_result = parameters.result,
                .far_result = parameters.far_result},
      .in = path_between(chip, memory, pad->name),
      .out = path_between(chip, pad->name, memory),
      .room = std::min(parameters.scoped, pad->capacity),
      .scratchpad = pad->capacity,
      .buffers = parameters.buffers,
      .step = parameters.step,
      .vector = chip.vector * chip.clock,
      .exponentials = chip.exponentials,
  };
}

double rows_per_clk(const spec::ChipSpec& chip, FlopsPerSecond rate) {
  const spec::SystolicArray& a = chip.array;
  const double arrays = static_cast<double>(a.count * chip.units);
  return rate / (Flops(2 * static_cast<double>(a.rows * a.cols) * arrays) * chip.clock);
}

}  // namespace mlosim::tile
