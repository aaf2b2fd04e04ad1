// NCCL's collectives over the GPUs of this host. Host half; device/collective_bench.cpp is the device half.

#include "validate/cuda/cases/catalogue.hpp"
#include "validate/cuda/operation/collective_shape.hpp"

namespace mlosim::measure {
namespace {

#ifdef MEASURE_HAVE_NCCL
constexpr const char* kAbsent = "";
#else
constexpr const char* kAbsent = "built without NCCL (nccl.h and libnccl were not found)";
#endif

constexpr double kLinkGuess = 100e9;     // bytes/s: between PCIe and NVLink
constexpr std::int64_t kAlignment = 16;  // of each rank's share: the sizes are the next ones below the axis
constexpr Seconds kSetUpGuess{2};        // of the communicators

Planned plan_collective(const State& state, const DeviceFacts& facts, const Options&) {
  CollectiveShape shape{.kind = collective_kind_of(state.text("kind")),
                        .bytes = state.integer("bytes"),
                        .ranks = static_cast<int>(state.integer("ranks"))};
  shape.bytes -= shape.bytes % (shape.ranks * kAlignment);
  if (shape.ranks > facts.gpus)
    return Skip{std::to_string(shape.ranks) + " GPUs are needed and this host has " + std::to_string(facts.gpus)};
  return Plan{.identity = {{"op", "collective"},
                           {"dtype", "bf16"},
                           {"kind", to_string(shape.kind)},
                           integer_cell("bytes", shape.bytes),
                           integer_cell("ranks", shape.ranks),
                           {"topology", facts.chip + "_node"}},
              .launch_guess = roofline_guess(static_cast<double>(shape.bytes) * bus_factor(shape), kLinkGuess, 0, 0),
              .memory_bytes = shape.send_bytes() + shape.receive_bytes(),
              .fixed_time = kSetUpGuess};
}

}  // namespace

std::vector<Case> collective_cases() {
  return {{.name = "collective.nccl",
           .group = Group::collective,
           .summary = "NCCL out of place over 2 and more GPUs of this host; bytes: the larger buffer of a rank",
           .axes = {{"kind", {"all_reduce", "all_gather", "reduce_scatter", "alltoall", "send_recv"}},
                    integer_axis("ranks", {2, 3, 4, 6, 8}),
                    integer_axis("bytes", geometric(1 << 10, 1 << 30))},
           .keys = {"kind", "bytes", "ranks", "topology"},
           .results = {"bus_gb_per_s"},
           .plan = plan_collective,
           .absent = kAbsent}};
}

}  // namespace mlosim::measure
