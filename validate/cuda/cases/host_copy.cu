// launch.host_copy: cudaMemcpyAsync between the host's memory and the device's, timed as it is issued.
#include <cstring>

#include "validate/cuda/cases/benches.hpp"
#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/device_buffer.hpp"
#include "validate/cuda/device/side_stream.hpp"

namespace mlosim::measure {
namespace {

class HostBuffer {
 public:
  HostBuffer(std::size_t bytes, bool is_pinned) : bytes_(bytes), is_pinned_(is_pinned) {
    if (is_pinned)
      MEASURE_CUDA(cudaMallocHost(&data_, bytes));
    else
      data_ = ::operator new(bytes);
  }
  ~HostBuffer() {
    if (is_pinned_)
      cudaFreeHost(data_);
    else
      ::operator delete(data_);
  }
  HostBuffer(const HostBuffer&) = delete;
  HostBuffer& operator=(const HostBuffer&) = delete;
  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_;
  bool is_pinned_;
};

// One direction of a copy: host and device memory of the same size, the source random and the target other bits.
struct Pair {
  std::shared_ptr<HostBuffer> host;
  std::shared_ptr<DeviceBuffer> device;
};

Pair make_pair_of(std::size_t bytes, bool is_pinned, bool to_device, cudaStream_t stream) {
  Pair pair{std::make_shared<HostBuffer>(bytes, is_pinned), make_buffer(bytes)};
  fill_random_bits(*pair.device, 1, stream);
  MEASURE_CUDA(cudaStreamSynchronize(stream));
  MEASURE_CUDA(cudaMemcpy(pair.host->data(), pair.device->data(), bytes, cudaMemcpyDeviceToHost));
  if (to_device)
    fill_random_bits(*pair.device, 2, stream);
  else
    std::memset(pair.host->data(), 0x5a, bytes);
  MEASURE_CUDA(cudaStreamSynchronize(stream));
  return pair;
}

void copy(const Pair& pair, bool to_device, cudaStream_t stream) {
  void* const host = pair.host->data();
  void* const device = pair.device->data();
  MEASURE_CUDA(cudaMemcpyAsync(to_device ? device : host, to_device ? host : device, pair.host->bytes(),
                               to_device ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToHost, stream));
}

std::string check_pair(const Pair& pair) {
  std::vector<unsigned char> device(pair.host->bytes());
  MEASURE_CUDA(cudaMemcpy(device.data(), pair.device->data(), device.size(), cudaMemcpyDeviceToHost));
  return std::memcmp(device.data(), pair.host->data(), device.size()) == 0 ? "" : "the copy differs from its source";
}

}  // namespace

Bench prepare_host_copy(const State& state, const Plan&, const Gpu& gpu) {
  const std::string& direction = state.text("direction");
  const bool is_pinned = state.text("memory") == "pinned";
  const auto bytes = static_cast<std::size_t>(state.integer("bytes"));
  Bench bench;
  bench.timing = Timing::stream;
  double moved = static_cast<double>(bytes);
  if (direction != "both") {
    const bool to_device = direction == "to_device";
    const Pair pair = make_pair_of(bytes, is_pinned, to_device, gpu.stream);
    bench.launches = {[=](cudaStream_t stream) { copy(pair, to_device, stream); }};
    bench.check = [=] { return check_pair(pair); };
  } else {
    const Pair down = make_pair_of(bytes, is_pinned, true, gpu.stream);
    const Pair up = make_pair_of(bytes, is_pinned, false, gpu.stream);
    const auto side = std::make_shared<SideStream>();
    bench.launches = {[=](cudaStream_t stream) {
      side->fork_from(stream);
      copy(up, false, side->stream());
      copy(down, true, stream);
      side->join_to(stream);
    }};
    bench.check = [=] { return check_pair(down) + check_pair(up); };
    moved *= 2;
  }
  bench.results = [moved](Seconds time) -> Cells { return {number_cell("gb_per_s", moved / time.count() * 1e-9)}; };
  return bench;
}

}  // namespace mlosim::measure
