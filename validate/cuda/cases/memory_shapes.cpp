#include "validate/cuda/cases/memory_shapes.hpp"

#include <algorithm>
#include <stdexcept>

#include "validate/cuda/cases/rotation.hpp"

namespace mlosim::measure {
namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kSweepUnit = 16 << 10;  // what a block of 1024 threads reads at 16 bytes a thread

}  // namespace

StreamShape stream_shape(const State& state, const DeviceFacts& facts) {
  StreamShape shape{.array_bytes = state.integer("bytes")};
  const std::string& op = state.text("op");
  if (op == "read" || op == "write") {
    shape.arrays = shape.traffic_arrays = 1;
  } else if (op == "copy" || op == "memcpy") {
    shape.arrays = shape.traffic_arrays = 2;
  } else if (op == "triad") {
    shape.arrays = shape.traffic_arrays = 3;
  } else {
    throw std::logic_error("memory.stream has no op " + op);
  }
  shape.copies = copies_past_l2(shape.array_bytes * shape.arrays, facts);
  return shape;
}

SweepShape l2_shape(const State& state, const DeviceFacts& facts) {
  const std::int64_t footprint = state.integer("bytes");
  return {.footprint_bytes = footprint, .blocks = std::max(facts.sms, 1), .bytes_per_block = 8 * kMiB};
}

SweepShape sm_scaling_shape(const State& state, const DeviceFacts& facts) {
  const std::int64_t sms = state.text("sms") == "all" ? facts.sms : state.integer("sms");
  if (state.text("level") == "l2") {
    const std::int64_t footprint = std::max(facts.l2_bytes / 4 / kSweepUnit, std::int64_t{1}) * kSweepUnit;
    return {.footprint_bytes = footprint, .blocks = sms, .bytes_per_block = 32 * kMiB};
  }
  // Ten times the L2 between two reads of a place leave little of it in the cache.
  const std::int64_t per_launch = sms * 32 * kMiB;
  const std::int64_t launches = std::max<std::int64_t>(1, (10 * facts.l2_bytes + per_launch - 1) / per_launch);
  return {.footprint_bytes = per_launch * launches, .blocks = sms, .bytes_per_block = 32 * kMiB, .launches = launches};
}

// Enough that the timer's microsecond is small, and that far memory does not take long.
std::int64_t chase_hops(std::int64_t footprint_bytes) { return footprint_bytes <= 256 << 10 ? 1 << 17 : 1 << 14; }

}  // namespace mlosim::measure
