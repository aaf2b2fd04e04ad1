// launch.kernel, launch.round_trip and launch.grid: kernels that do nothing or next to nothing, so that what is timed
// is their launch.
#include <chrono>
#include <optional>

#include "validate/cuda/cases/benches.hpp"
#include "validate/cuda/cases/launch_shapes.hpp"
#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/device_buffer.hpp"
#include "validate/cuda/device/graph_replay.hpp"
#include "validate/cuda/device/side_stream.hpp"

namespace mlosim::measure {
namespace {

constexpr unsigned kSmallThreads = kSmallBytesPerBlock / sizeof(uint4);

__global__ void empty_kernel() {}

__global__ void small_kernel(uint4* data) {
  uint4& mine = data[blockIdx.x * blockDim.x + threadIdx.x];
  mine = {mine.x + 1, mine.y + 1, mine.z + 1, mine.w + 1};
}

// One empty kernel, or one small kernel on the part of the data with this number.
class Kernel {
 public:
  Kernel(const std::string& name, int parts, const Gpu& gpu) : sms_(static_cast<unsigned>(gpu.facts.sms)) {
    if (name != "small") return;
    data_ = make_buffer(static_cast<std::size_t>(parts) * part_vectors() * sizeof(uint4));
    MEASURE_CUDA(cudaMemsetAsync(data_->data(), 0, data_->bytes(), gpu.stream));
  }

  void launch(int part, cudaStream_t stream) const {
    if (data_)
      small_kernel<<<sms_, kSmallThreads, 0, stream>>>(data_->as<uint4>() + part * part_vectors());
    else
      empty_kernel<<<1, 32, 0, stream>>>();
    MEASURE_CUDA(cudaGetLastError());
  }

  // That every word of the data is `expected`.
  std::string check(unsigned expected) const {
    if (!data_) return "";
    std::vector<unsigned> words(data_->bytes() / sizeof(unsigned));
    MEASURE_CUDA(cudaMemcpy(words.data(), data_->data(), data_->bytes(), cudaMemcpyDeviceToHost));
    for (const unsigned word : words)
      if (word != expected)
        return "a word was counted up to " + std::to_string(word) + " instead of " + std::to_string(expected);
    return "";
  }

 private:
  std::size_t part_vectors() const { return std::size_t(sms_) * kSmallThreads; }

  unsigned sms_;
  std::shared_ptr<DeviceBuffer> data_;
};

using SideStreams = std::vector<std::shared_ptr<SideStream>>;

void launch_side_by_side(const Kernel& kernel, const SideStreams& sides, cudaStream_t stream) {
  for (const auto& side : sides) side->fork_from(stream);
  for (int i = 0; i < kLaunchBatch; ++i) kernel.launch(i, sides[static_cast<std::size_t>(i) % sides.size()]->stream());
  for (const auto& side : sides) side->join_to(stream);
}

}  // namespace

Bench prepare_launch(const State& state, const Plan&, const Gpu& gpu) {
  const bool is_dependent = state.text("dependence") == "dependent";
  const Kernel kernel(state.text("kernel"), is_dependent ? 1 : kLaunchBatch, gpu);
  Bench bench;
  bench.timing = state.text("path") == "graph" ? Timing::graph : Timing::stream;
  bench.operations = kLaunchBatch;
  if (is_dependent) {
    bench.launches = {[kernel](cudaStream_t stream) {
      for (int i = 0; i < kLaunchBatch; ++i) kernel.launch(0, stream);
    }};
  } else {
    SideStreams sides;
    for (int i = 0; i < kLaunchStreams; ++i) sides.push_back(std::make_shared<SideStream>());
    bench.launches = {[kernel, sides](cudaStream_t stream) { launch_side_by_side(kernel, sides, stream); }};
  }
  bench.check = [kernel, is_dependent] { return kernel.check(is_dependent ? kLaunchBatch : 1); };
  return bench;
}

Bench prepare_round_trip(const State& state, const Plan&, const Gpu& gpu) {
  const Kernel kernel(state.text("kernel"), 1, gpu);
  const Launch launch = [kernel](cudaStream_t stream) { kernel.launch(0, stream); };
  Bench bench;
  bench.launches = {launch};
  bench.timing = Timing::self;
  bench.check = [kernel] { return kernel.check(1); };
  const bool is_graph = state.text("path") == "graph";
  bench.measure = [launch, is_graph, stream = gpu.stream](const Criterion&) {
    constexpr int kWarmUps = 100;
    constexpr int kSamples = 1000;
    std::optional<GraphReplay> replay;
    if (is_graph) replay.emplace(std::vector<Launch>{launch}, 1, stream);
    Measurement measurement;
    for (int i = 0; i < kWarmUps + kSamples; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      if (replay)
        replay->launch(stream);
      else
        launch(stream);
      MEASURE_CUDA(cudaStreamSynchronize(stream));
      const Seconds time = std::chrono::steady_clock::now() - begin;
      if (i >= kWarmUps) measurement.seconds.push_back(time.count());
    }
    return measurement;
  };
  return bench;
}

Bench prepare_grid(const State& state, const Plan&, const Gpu&) {
  const auto blocks = static_cast<unsigned>(state.integer("blocks"));
  const auto threads = static_cast<unsigned>(state.integer("threads"));
  Bench bench;
  bench.launches = {[=](cudaStream_t stream) {
    empty_kernel<<<blocks, threads, 0, stream>>>();
    MEASURE_CUDA(cudaGetLastError());
  }};
  return bench;
}

}  // namespace mlosim::measure
