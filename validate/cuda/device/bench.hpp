// The device half of a case: for one state, buffers with random data and callables that enqueue the work. The runner
// checks, warms up, captures and times them. Needs the CUDA runtime's header.
#pragma once

#include <cuda_runtime.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "validate/cuda/measure/case.hpp"
#include "validate/cuda/measure/nvml.hpp"
#include "validate/cuda/measure/statistics.hpp"

namespace mlosim::measure {

// The GPU under test; it is the current device and nothing else runs on it.
struct Gpu {
  int ordinal = 0;
  DeviceFacts facts;
  Options options;
  cudaStream_t stream = nullptr;  // non-blocking; set-up work may use it too
  const Nvml* nvml = nullptr;     // never null
};

// Enqueues the work of one launch on a stream: no synchronisation, no allocation, so that a graph can capture it.
using Launch = std::function<void(cudaStream_t)>;

enum class Timing {
  graph,   // launches are captured in turn into one graph, whose replays are timed by events
  stream,  // launches are issued one after another between two events: for what cannot or must not be captured
  self,    // `measure` does it all
};

struct Measurement {
  std::vector<double> seconds;  // one figure a sample, each of one operation
  std::optional<double> power_w;
  std::optional<double> clock_mhz;
  Cells results;  // besides those of the bench
};

// What a case has prepared; buffers live as long as the callables that own them (std::shared_ptr in the capture).
struct Bench {
  std::vector<Launch> launches;  // used in turn; as many as it takes for their data to exceed the L2, or one
  Timing timing = Timing::graph;
  double operations = 1;  // in one launch: time_us is the time of one operation
  // Run once after every launch has run once and the device is idle; answers what is wrong, empty where right.
  std::function<std::string()> check;
  std::function<Measurement(const Criterion&)> measure;  // for Timing::self only
  std::function<Cells(Seconds operation)> results;       // further columns that follow from the time; may be empty
  std::string library;                                   // "cublasLt 13.0.2": appended to the software column
};

// Throws Unsupported where this device cannot do it and CudaError where a call fails.
using Prepare = std::function<Bench(const State&, const Plan&, const Gpu&)>;

// By the name of its case. One table for the whole program: cases/benches.cpp.
const std::map<std::string, Prepare>& all_benches();

}  // namespace mlosim::measure
