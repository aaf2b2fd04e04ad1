#include <algorithm>

#include "validate/cuda/cases/catalogue.hpp"
#include "validate/cuda/cases/launch_shapes.hpp"

namespace mlosim::measure {
namespace {

constexpr Seconds kLaunchGuess{3e-6};
constexpr Seconds kBlockWaveGuess{1e-6};

Planned plan_kernel(const State& state, const DeviceFacts& facts, const Options&) {
  return Plan{.identity = {{"op", "microbenchmark"},
                           {"dtype", "float32"},
                           {"kind", "launch"},
                           {"path", state.text("path")},
                           {"kernel", state.text("kernel")},
                           {"dependence", state.text("dependence")}},
              .launch_guess = kLaunchBatch * kLaunchGuess,
              .memory_bytes = kLaunchBatch * facts.sms * kSmallBytesPerBlock};
}

Planned plan_round_trip(const State& state, const DeviceFacts& facts, const Options&) {
  return Plan{.identity = {{"op", "microbenchmark"},
                           {"dtype", "float32"},
                           {"kind", "launch_round_trip"},
                           {"path", state.text("path")},
                           {"kernel", state.text("kernel")}},
              .launch_guess = 5 * kLaunchGuess,
              .memory_bytes = facts.sms * kSmallBytesPerBlock,
              .fixed_time = Seconds(0.1)};
}

Planned plan_grid(const State& state, const DeviceFacts& facts, const Options&) {
  const std::int64_t blocks = state.integer("blocks");
  const std::int64_t threads = state.integer("threads");
  const double waves = static_cast<double>(blocks * threads) / (2048.0 * std::max(facts.sms, 1));
  return Plan{.identity = {{"op", "microbenchmark"},
                           {"dtype", "float32"},
                           {"kind", "launch_grid"},
                           integer_cell("blocks", blocks),
                           integer_cell("threads", threads)},
              .launch_guess = kLaunchGuess + waves * kBlockWaveGuess};
}

}  // namespace

std::vector<Case> launch_cases() {
  return {
      {.name = "launch.kernel",
       .group = Group::launch,
       .summary = "time between kernels: issued or replayed from a graph, one behind the other or side by side",
       .axes = {{"path", {"stream", "graph"}},
                {"kernel", {"empty", "small"}},
                {"dependence", {"dependent", "independent"}}},
       .keys = {"kind", "path", "kernel", "dependence"},
       .results = {},
       .plan = plan_kernel,
       .absent = {}},
      {.name = "launch.round_trip",
       .group = Group::launch,
       .summary = "one launch and the wait for its end, on the host's clock",
       .axes = {{"path", {"stream", "graph"}}, {"kernel", {"empty", "small"}}},
       .keys = {"kind", "path", "kernel"},
       .results = {},
       .plan = plan_round_trip,
       .absent = {}},
      {.name = "launch.grid",
       .group = Group::launch,
       .summary = "empty kernels of many blocks: how fast blocks are handed to the SMs",
       .axes = {integer_axis("blocks", geometric(1, 1 << 20, 4)), integer_axis("threads", {32, 128, 1024})},
       .keys = {"kind", "blocks", "threads"},
       .results = {},
       .plan = plan_grid,
       .absent = {}},
  };
}

}  // namespace mlosim::measure
