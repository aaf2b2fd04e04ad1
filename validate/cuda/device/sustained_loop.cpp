#include "validate/cuda/device/sustained_loop.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "validate/cuda/device/event.hpp"
#include "validate/cuda/device/graph_replay.hpp"

namespace mlosim::measure {
namespace {

constexpr double kBatchSeconds = 50e-3;  // NVML has a new reading that often, and takes less than this to tell it
constexpr double kMostNodes = 1024;

using Clock = std::chrono::steady_clock;

struct Reading {
  Seconds since_begin{0};
  Seconds launch{0};
  std::optional<double> power_w, clock_mhz, temperature_c, energy_j;
};

Reading read(const Nvml& nvml, Clock::time_point begin, Seconds launch) {
  return {.since_begin = Clock::now() - begin,
          .launch = launch,
          .power_w = nvml.power_w(),
          .clock_mhz = nvml.sm_clock_mhz(),
          .temperature_c = nvml.temperature_c(),
          .energy_j = nvml.energy_j()};
}

std::optional<double> mean(const std::vector<Reading>& readings, std::optional<double> Reading::*figure) {
  double sum = 0;
  int count = 0;
  for (const Reading& reading : readings)
    if (reading.*figure) {
      sum += *(reading.*figure);
      ++count;
    }
  if (count == 0) return std::nullopt;
  return sum / count;
}

// As many nodes of a graph as take about `kBatchSeconds`; every launch at least once.
std::size_t nodes_for(const std::vector<Launch>& launches, cudaStream_t stream) {
  Event before, after;
  for (const Launch& launch : launches) launch(stream);  // warm
  before.record(stream);
  for (const Launch& launch : launches) launch(stream);
  after.record(stream);
  after.wait();
  const double count = static_cast<double>(launches.size());
  const double wanted = kBatchSeconds / (after.seconds_since(before) / count);
  return static_cast<std::size_t>(std::clamp(wanted, count, std::max(count, kMostNodes)));
}

// Launches in turn, as a graph that is replayed: small kernels then follow each other without the host.
class Batch {
 public:
  Batch(const std::vector<Launch>& launches, cudaStream_t stream)
      : nodes_(nodes_for(launches, stream)), graph_(launches, nodes_, stream) {
    Event before, after;
    before.record(stream);
    graph_.launch(stream);
    after.record(stream);
    after.wait();
    replays_ = static_cast<int>(std::clamp(kBatchSeconds / after.seconds_since(before), 1.0, 1000.0));
  }
  void enqueue(cudaStream_t stream) const {
    for (int replay = 0; replay < replays_; ++replay) graph_.launch(stream);
  }
  double launches() const { return static_cast<double>(nodes_) * replays_; }

 private:
  std::size_t nodes_;
  GraphReplay graph_;
  int replays_ = 1;
};

std::vector<Reading> run_batches(const Batch& batch, Seconds duration, const Gpu& gpu) {
  // The end of batch i is event i modulo 3: while one is waited for, the next is in flight.
  std::array<Event, 3> ends;
  std::vector<Reading> readings;
  const Clock::time_point begin = Clock::now();
  ends[0].record(gpu.stream);
  for (std::size_t i = 1; Clock::now() - begin < duration; ++i) {
    batch.enqueue(gpu.stream);
    ends[i % 3].record(gpu.stream);
    if (i == 1) continue;
    ends[(i - 1) % 3].wait();
    const double seconds = ends[(i - 1) % 3].seconds_since(ends[(i - 2) % 3]);
    readings.push_back(read(*gpu.nvml, begin, Seconds(seconds / batch.launches())));
  }
  MEASURE_CUDA(cudaStreamSynchronize(gpu.stream));
  return readings;
}

std::vector<Reading> idle(Seconds duration, const Gpu& gpu) {
  std::vector<Reading> readings;
  const Clock::time_point begin = Clock::now();
  while (Clock::now() - begin < duration) {
    const Clock::time_point before = Clock::now();
    std::this_thread::sleep_for(Seconds(kBatchSeconds));
    readings.push_back(read(*gpu.nvml, begin, Clock::now() - before));
  }
  return readings;
}

// Of the energy between the first and the last reading where both tell it: nothing is missed between two readings.
Measurement summarized(const std::vector<Reading>& readings, Seconds duration) {
  Measurement measurement;
  for (const Reading& reading : readings) measurement.seconds.push_back(reading.launch.count());
  measurement.clock_mhz = mean(readings, &Reading::clock_mhz);
  measurement.results = {number_cell("loop_s", duration.count())};
  const Reading& first = readings.front();
  const Reading& last = readings.back();
  const Seconds between = last.since_begin - first.since_begin;
  if (first.energy_j && last.energy_j && *last.energy_j > *first.energy_j && between.count() > 0) {
    measurement.power_w = (*last.energy_j - *first.energy_j) / between.count();
    measurement.results.push_back({"power_source", "energy_counter"});
  } else if ((measurement.power_w = mean(readings, &Reading::power_w))) {
    measurement.results.push_back({"power_source", "power_readings"});
  }
  if (last.temperature_c) measurement.results.push_back(number_cell("temperature_c", *last.temperature_c));
  return measurement;
}

}  // namespace

Measurement run_sustained(const std::vector<Launch>& launches, Seconds duration, const Gpu& gpu) {
  std::vector<Reading> readings =
      launches.empty() ? idle(duration, gpu) : run_batches(Batch(launches, gpu.stream), duration, gpu);
  if (readings.size() < 4) throw Unsupported("the run is too short for this load: raise --sustained");
  readings.erase(readings.begin(), readings.begin() + static_cast<std::ptrdiff_t>(readings.size() / 2));
  return summarized(readings, duration);
}

}  // namespace mlosim::measure
