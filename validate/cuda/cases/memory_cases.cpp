#include <algorithm>
#include <utility>

#include "validate/cuda/cases/catalogue.hpp"
#include "validate/cuda/cases/memory_shapes.hpp"

namespace mlosim::measure {
namespace {

constexpr double kL2OverHbm = 3;                      // bandwidths, to guess times
constexpr double kSharedBytesPerSmAndSecond = 200e9;  // 128 bytes a clock

Cells microbenchmark(std::string kind, std::string dtype) {
  return {{"op", "microbenchmark"}, {"dtype", std::move(dtype)}, {"kind", std::move(kind)}};
}

Planned plan_stream(const State& state, const DeviceFacts& facts, const Options&) {
  const StreamShape shape = stream_shape(state, facts);
  Cells identity = microbenchmark("stream_" + state.text("op"), "float32");
  identity.push_back(integer_cell("bytes", shape.array_bytes));
  return Plan{.identity = std::move(identity),
              .launch_guess = roofline_guess(shape.traffic_bytes(), facts.hbm_bytes_per_s, 0, 0),
              .memory_bytes = shape.memory_bytes()};
}

Planned plan_l2(const State& state, const DeviceFacts& facts, const Options&) {
  const SweepShape shape = l2_shape(state, facts);
  Cells identity = microbenchmark("l2_read", "float32");
  identity.push_back(integer_cell("bytes", shape.footprint_bytes));
  return Plan{.identity = std::move(identity),
              .launch_guess = roofline_guess(shape.traffic_bytes(), kL2OverHbm * facts.hbm_bytes_per_s, 0, 0),
              .memory_bytes = shape.footprint_bytes};
}

Planned plan_shared(const State& state, const DeviceFacts& facts, const Options&) {
  const std::int64_t width = state.integer("width");
  const std::int64_t ways = state.integer("ways");
  if (width == 16 && ways > 1) return Skip{"bank conflicts are measured with words of 4 bytes"};
  Cells identity = microbenchmark("shared_read", "float32");
  identity.push_back(integer_cell("width", width));
  identity.push_back(integer_cell("ways", ways));
  const double bytes_per_sm = static_cast<double>(kSharedThreads * kSharedReadsPerThread * width * ways);
  return Plan{.identity = std::move(identity),
              .launch_guess = roofline_guess(bytes_per_sm, kSharedBytesPerSmAndSecond, 0, 0),
              .memory_bytes = 4 * kSharedThreads * facts.sms};
}

Planned plan_sm_scaling(const State& state, const DeviceFacts& facts, const Options&) {
  const SweepShape shape = sm_scaling_shape(state, facts);
  if (shape.blocks > facts.sms) return Skip{"the GPU has " + std::to_string(facts.sms) + " SMs"};
  Cells identity = microbenchmark("sm_scaling_" + state.text("level"), "float32");
  identity.push_back(integer_cell("sms", shape.blocks));
  // One SM cannot draw the whole bandwidth: some 70 GB/s of it.
  const double bandwidth = std::min(static_cast<double>(shape.blocks) * 70e9, facts.hbm_bytes_per_s);
  return Plan{.identity = std::move(identity),
              .launch_guess = roofline_guess(shape.traffic_bytes(), bandwidth, 0, 0),
              .memory_bytes = shape.footprint_bytes};
}

}  // namespace

std::vector<Case> memory_cases() {
  constexpr std::int64_t kGiB = 1LL << 30;
  return {
      {.name = "memory.stream",
       .group = Group::memory,
       .summary = "device memory: copy, read, write, triad and cudaMemcpyAsync over arrays of so many bytes",
       .axes = {{"op", {"copy", "read", "write", "triad", "memcpy"}},
                integer_axis("bytes", geometric(4 << 10, 8 * kGiB))},
       .keys = {"kind", "bytes"},
       .results = {"traffic_bytes", "copies", "gb_per_s"},
       .plan = plan_stream,
       .absent = {}},
      {.name = "memory.l2",
       .group = Group::memory,
       .summary = "reads past the L1 that go round a footprint: L2 bandwidth, and its edge",
       .axes = {{"bytes", {"262144",    "524288",    "1048576",   "2097152",   "4194304",   "8388608",   "12582912",
                           "16777216",  "20971520",  "25165824",  "29360128",  "33554432",  "37748736",  "41943040",
                           "50331648",  "58720256",  "67108864",  "83886080",  "100663296", "117440512", "134217728",
                           "167772160", "201326592", "268435456", "536870912", "1073741824"}}},
       .keys = {"kind", "bytes"},
       .results = {"traffic_bytes", "gb_per_s"},
       .plan = plan_l2,
       .absent = {}},
      {.name = "memory.shared",
       .group = Group::memory,
       .summary = "shared memory of all SMs, by width of an access and by how many lanes share a bank",
       .axes = {integer_axis("width", {4, 16}), integer_axis("ways", geometric(1, 32))},
       .keys = {"kind", "width", "ways"},
       .results = {"gb_per_s"},
       .plan = plan_shared,
       .absent = {}},
      {.name = "memory.sm_scaling",
       .group = Group::memory,
       .summary = "bandwidth that one SM to all SMs draw from the L2 and from device memory",
       .axes = {{"level", {"l2", "hbm"}},
                {"sms", {"1", "2", "4", "8", "16", "24", "32", "48", "64", "80", "96", "112", "128", "144", "all"}}},
       .keys = {"kind", "sms"},
       .results = {"traffic_bytes", "gb_per_s"},
       .plan = plan_sm_scaling,
       .absent = {}},
  };
}

}  // namespace mlosim::measure
