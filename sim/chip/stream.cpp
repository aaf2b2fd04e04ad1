#include "sim/chip/stream.hpp"

namespace mlosim::chip {
namespace {

constexpr double kReuseRate = 0.6;  // of the cache's bandwidth: one stream, reads and writes mixed, half of it far

// The memory that outlives a kernel nearest the device memory, as one of the whole chip.
struct Store {
  Bytes capacity;
  BytesPerSecond bandwidth;
  double reuse_share = 0;
};

Store store_of(const spec::ChipSpec& chip) {
  if (const spec::MemoryLevel* cache = chip.last_cache())
    return {cache->capacity, cache->bandwidth, cache->reuse_share};
  const spec::MemoryLevel* pad = chip.scratchpad();
  if (pad == nullptr) return {};
  const double copies = static_cast<double>(chip.units);
  return {pad->capacity * copies, pad->bandwidth * copies, pad->reuse_share};
}

}  // namespace

double resident_share(const spec::ChipSpec& chip, Bytes footprint) {
  return resident_share(chip, footprint, store_of(chip).reuse_share);
}

double resident_share(const spec::ChipSpec& chip, Bytes footprint, double share) {
  const Bytes kept = share * store_of(chip).capacity;
  if (kept <= Bytes(0)) return 0;
  const double fill = footprint / kept;
  const double square = fill * fill;
  return 1 / (1 + square * square);
}

Seconds stream_time(const spec::ChipSpec& chip, Bytes bytes, double hit, double efficiency) {
  Seconds time = bytes * (1 - hit) / (chip.device_memory().bandwidth * efficiency);
  if (hit > 0) time += bytes * hit / (store_of(chip).bandwidth * kReuseRate);
  return time;
}

}  // namespace mlosim::chip
