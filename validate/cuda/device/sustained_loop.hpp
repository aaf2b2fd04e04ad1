// A load that runs for seconds on end while power, clock and temperature are read. Needs the CUDA runtime's header.
#pragma once

#include "validate/cuda/device/bench.hpp"

namespace mlosim::measure {

// Replays the launches in turn for `duration`, two batches of about 50 ms in flight, and reads NVML after each. The
// figures are those of the second half, when the chip is warm and its clock has settled: one sample of the time a
// batch (of one launch), the mean power (from the energy counter where there is one) and clock, and as results
// `power_source`, `temperature_c` and `loop_s`. Without launches the device idles; the samples are then the time
// between two readings.
Measurement run_sustained(const std::vector<Launch>& launches, Seconds duration, const Gpu& gpu);

}  // namespace mlosim::measure
