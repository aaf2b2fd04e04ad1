// How long launches take by the events of the device: replayed from a graph, or issued one after another. Needs the
// CUDA runtime's header.
#pragma once

#include <optional>
#include <vector>

#include "validate/cuda/device/bench.hpp"

namespace mlosim::measure {

struct Timed {
  std::vector<double> seconds;      // one a sample, of one launch
  std::optional<double> clock_mhz;  // of the SMs while samples ran, the median of what NVML told
};

// Captures the launches in turn into one graph that takes at least two milliseconds, so that the start of a replay does
// not show; warms up; times each replay. The launches have run before.
Timed time_in_graph(const std::vector<Launch>& launches, const Gpu& gpu, const Criterion& criterion);

// The same with launches issued by the host: where they are short, this is what the host takes to issue them.
Timed time_in_stream(const std::vector<Launch>& launches, const Gpu& gpu, const Criterion& criterion);

}  // namespace mlosim::measure
