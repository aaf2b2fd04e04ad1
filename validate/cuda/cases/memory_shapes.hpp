// Sizes that both halves of the memory cases go by. No CUDA.
#pragma once

#include <cstdint>
#include <string>

#include "validate/cuda/measure/axis.hpp"
#include "validate/cuda/measure/device_facts.hpp"

namespace mlosim::measure {

constexpr std::int64_t kLineBytes = 128;  // of L1 and L2 on every GPU since Volta

// memory.stream
struct StreamShape {
  std::int64_t array_bytes = 0;
  int arrays = 0;           // buffers of one launch
  int traffic_arrays = 0;   // of which are moved, reads and writes counted
  std::int64_t copies = 1;  // that are gone round

  double traffic_bytes() const { return static_cast<double>(array_bytes) * traffic_arrays; }
  std::int64_t memory_bytes() const { return array_bytes * arrays * copies; }
};
StreamShape stream_shape(const State& state, const DeviceFacts& facts);

// memory.l2: every block sweeps the whole footprint, from places that are spread over it.
struct SweepShape {
  std::int64_t footprint_bytes = 0;
  std::int64_t blocks = 0;
  std::int64_t bytes_per_block = 0;  // read by a block in one launch; a multiple of 16 KiB
  std::int64_t launches = 1;         // that begin one behind the other in the footprint

  double traffic_bytes() const { return static_cast<double>(bytes_per_block) * static_cast<double>(blocks); }
};
SweepShape l2_shape(const State& state, const DeviceFacts& facts);

// memory.sm_scaling: one block to an SM; "all" of the axis is every SM.
SweepShape sm_scaling_shape(const State& state, const DeviceFacts& facts);

// memory.shared: words that the 32 lanes of a warp read lie `ways` words apart, so that `ways` of them share a bank.
constexpr std::int64_t kSharedReadsPerThread = 8192;
constexpr std::int64_t kSharedThreads = 1024;

// latency.*
constexpr std::int64_t kSharedChaseBytes = 32 << 10;  // at most
constexpr int kChaseSamples = 15;
std::int64_t chase_hops(std::int64_t footprint_bytes);

}  // namespace mlosim::measure
