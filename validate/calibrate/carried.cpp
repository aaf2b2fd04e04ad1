#include "validate/calibrate/carried.hpp"

#include <algorithm>

#include "sim/units/check.hpp"

namespace mlosim::calibrate {

double unit_of(Carried carried, const spec::ChipSpec& chip) {
  switch (carried) {
    case Carried::value:
      return 1;
    case Carried::clocks:
      return 1 / chip.clock.si();
    case Carried::launch:
      return chip.launch.graph.si();
    case Carried::power: {
      const auto rate = chip.matrix_rate(work::DType::bf16, chip.clock);
      return rate ? (chip.power.cap / *rate).si() : 1;
    }
    case Carried::l2: {
      const spec::MemoryLevel* cache = chip.first_shared_cache();
      return cache ? cache->bandwidth.si() / chip.clock.si() / static_cast<double>(chip.units) : 1;
    }
  }
  MLOSIM_CHECK(false);
}

double typical_value(const ParameterRule& rule, const spec::ChipSpec& chip, double own) {
  return rule.typical ? std::clamp(*rule.typical * unit_of(rule.carried, chip), rule.low, rule.high) : own;
}

}  // namespace mlosim::calibrate
