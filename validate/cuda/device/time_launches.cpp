#include "validate/cuda/device/time_launches.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <optional>

#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/event.hpp"
#include "validate/cuda/device/graph_replay.hpp"

namespace mlosim::measure {
namespace {

constexpr double kShortestSample = 2e-3;  // seconds; the gap between two replays is a few microseconds
constexpr double kShortestWarmUp = 20e-3;
constexpr std::size_t kMostNodes = 4096;
constexpr std::size_t kBatch = 8;  // samples in flight between two looks at the clock

double time_once(const std::function<void()>& sample, cudaStream_t stream) {
  Event before;
  Event after;
  before.record(stream);
  sample();
  after.record(stream);
  after.wait();
  return after.seconds_since(before);
}

// Samples until the criterion holds. Batches keep the device busy while NVML is asked.
Timed take_samples(const std::function<void()>& sample, double launches, const Gpu& gpu, const Criterion& criterion) {
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [begin] { return Seconds(std::chrono::steady_clock::now() - begin); };
  std::vector<Event> events(kBatch + 1);
  std::vector<double> clocks;
  Timed timed;
  const double first = time_once(sample, gpu.stream);
  const std::size_t batch = first * kBatch > criterion.max_time.count() / 4 ? 1 : kBatch;
  do {
    events[0].record(gpu.stream);
    for (std::size_t i = 1; i <= batch; ++i) {
      sample();
      events[i].record(gpu.stream);
    }
    if (const std::optional<double> clock = gpu.nvml->sm_clock_mhz()) clocks.push_back(*clock);
    events[batch].wait();
    for (std::size_t i = 1; i <= batch; ++i) timed.seconds.push_back(events[i].seconds_since(events[i - 1]) / launches);
  } while (!is_settled(timed.seconds, elapsed(), criterion));
  if (!clocks.empty()) timed.clock_mhz = median(clocks);
  return timed;
}

void warm_up(const std::function<void()>& sample, cudaStream_t stream) {
  double spent = 0;
  for (int i = 0; i < 2 || spent < kShortestWarmUp; ++i) spent += time_once(sample, stream);
}

// How many launches make a sample that is long enough: whole rounds, so that each copy of the data is met as often.
std::size_t launches_for(double one_launch, std::size_t round) {
  const double wanted = std::min(std::ceil(kShortestSample / std::max(one_launch, 1e-7)), double{kMostNodes});
  const std::size_t rounds = (static_cast<std::size_t>(wanted) + round - 1) / round;
  return std::max<std::size_t>(rounds, 1) * round;
}

// `resize` makes `sample` one of so many launches. Guesses twice: the first time, of one round, holds the start of a
// sample, which is long beside a short kernel.
std::size_t long_enough(const std::function<void()>& sample, const std::function<void(std::size_t)>& resize,
                        std::size_t round, cudaStream_t stream) {
  std::size_t count = 0;
  std::size_t wanted = round;
  for (int guess = 0; guess <= 2 && 2 * wanted > 3 * count; ++guess) {
    count = wanted;
    resize(count);
    time_once(sample, stream);
    wanted = launches_for(time_once(sample, stream) / static_cast<double>(count), round);
  }
  return count;
}

}  // namespace

Timed time_in_graph(const std::vector<Launch>& launches, const Gpu& gpu, const Criterion& criterion) {
  std::optional<GraphReplay> replay;
  const auto sample = [&] { replay->launch(gpu.stream); };
  const auto resize = [&](std::size_t count) { replay.emplace(launches, count, gpu.stream); };
  const std::size_t count = long_enough(sample, resize, launches.size(), gpu.stream);
  warm_up(sample, gpu.stream);
  return take_samples(sample, static_cast<double>(count), gpu, criterion);
}

Timed time_in_stream(const std::vector<Launch>& launches, const Gpu& gpu, const Criterion& criterion) {
  std::size_t count = 0;
  const auto sample = [&] {
    for (std::size_t i = 0; i < count; ++i) launches[i % launches.size()](gpu.stream);
  };
  long_enough(
      sample, [&](std::size_t wanted) { count = wanted; }, launches.size(), gpu.stream);
  warm_up(sample, gpu.stream);
  return take_samples(sample, static_cast<double>(count), gpu, criterion);
}

}  // namespace mlosim::measure
