#include <utility>

#include "validate/cuda/cases/catalogue.hpp"
#include "validate/cuda/cases/memory_shapes.hpp"

namespace mlosim::measure {
namespace {

constexpr Seconds kHopGuess{0.4e-6};

Planned plan_chase(const State& state, const DeviceFacts& facts, const Options&) {
  const std::string& path = state.text("path");
  const std::int64_t bytes = state.integer("bytes");
  if (path == "shared" && bytes > kSharedChaseBytes) return Skip{"more than a block's shared memory"};
  if (path == "l1" && bytes > 2 * facts.shared_bytes_per_sm)
    return Skip{"far beyond the L1, where the path is that of l2"};
  return Plan{.identity = {{"op", "microbenchmark"},
                           {"dtype", "int64"},
                           {"kind", "latency_" + path},
                           integer_cell("bytes", bytes)},
              .launch_guess = static_cast<double>(chase_hops(bytes)) * kHopGuess,
              .memory_bytes = bytes,
              .fixed_time = kChaseSamples * static_cast<double>(chase_hops(bytes)) * kHopGuess};
}

Planned plan_distance(const State& state, const DeviceFacts& facts, const Options&) {
  return Plan{.identity = {{"op", "microbenchmark"}, {"dtype", "int64"}, {"kind", "latency_l2_" + state.text("part")}},
              .launch_guess = Seconds(0.02),
              .memory_bytes = facts.l2_bytes / 4,
              .fixed_time = Seconds(0.3)};
}

}  // namespace

std::vector<Case> latency_cases() {
  return {
      {.name = "latency.chase",
       .group = Group::memory,
       .summary = "dependent loads of one thread: through the L1, past it to L2 and HBM, in shared memory",
       .axes = {{"path", {"l1", "l2", "shared"}}, integer_axis("bytes", geometric(1 << 10, 1 << 30))},
       .keys = {"kind", "bytes"},
       .results = {"latency_clk"},
       .plan = plan_chase,
       .absent = {}},
      {.name = "latency.l2_parts",
       .group = Group::memory,
       .summary = "latency of the lines that lie near and far in the L2, seen from one SM",
       .axes = {{"part", {"near", "far"}}},
       .keys = {"kind"},
       .results = {"latency_clk", "share"},
       .plan = plan_distance,
       .absent = {}},
  };
}

}  // namespace mlosim::measure
