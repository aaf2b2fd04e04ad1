#include "validate/cuda/cases/catalogue.hpp"

namespace mlosim::measure {
namespace {

constexpr double kHostBytesPerSecond = 20e9;  // between PCIe 3 and PCIe 5, to guess times

Planned plan_copy(const State& state, const DeviceFacts&, const Options&) {
  const std::int64_t bytes = state.integer("bytes");
  const std::int64_t directions = state.text("direction") == "both" ? 2 : 1;
  return Plan{.identity = {{"op", "microbenchmark"},
                           {"dtype", "int8"},
                           {"kind", "host_copy_" + state.text("direction")},
                           {"memory", state.text("memory")},
                           integer_cell("bytes", bytes)},
              .launch_guess = roofline_guess(static_cast<double>(bytes * directions), kHostBytesPerSecond, 0, 0),
              .memory_bytes = bytes * directions};
}

}  // namespace

std::vector<Case> host_copy_cases() {
  return {{.name = "launch.host_copy",
           .group = Group::launch,
           .summary = "copies between host and device: pinned or pageable, one way or both at once",
           .axes = {{"direction", {"to_device", "to_host", "both"}},
                    {"memory", {"pinned", "pageable"}},
                    integer_axis("bytes", geometric(4 << 10, 1 << 30, 4))},
           .keys = {"kind", "memory", "bytes"},
           .results = {"gb_per_s"},
           .plan = plan_copy,
           .absent = {}}};
}

}  // namespace mlosim::measure
