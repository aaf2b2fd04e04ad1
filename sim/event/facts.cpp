#include "sim/event/facts.hpp"

#include "sim/units/check.hpp"

namespace mlosim::event {

std::string_view name_of(StallReason reason) {
  switch (reason) {
    case StallReason::dependency:
      return "dependency";
    case StallReason::launch:
      return "launch";
    case StallReason::slot:
      return "slot";
    case StallReason::memory_capacity:
      return "memory_capacity";
    case StallReason::compute:
      return "compute";
    case StallReason::on_chip_bandwidth:
      return "on_chip_bandwidth";
    case StallReason::memory_bandwidth:
      return "memory_bandwidth";
    case StallReason::link_bandwidth:
      return "link_bandwidth";
    case StallReason::latency:
      return "latency";
    case StallReason::synchronization:
      return "synchronization";
    case StallReason::throttle:
      return "throttle";
  }
  MLOSIM_CHECK(false);
}

}  // namespace mlosim::event
