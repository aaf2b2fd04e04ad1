// latency.chase and latency.l2_parts: one thread whose every load tells where the next one is. Both clocks are read in
// the kernel, so that what surrounds the loads does not show.
#include <algorithm>

#include "validate/cuda/cases/benches.hpp"
#include "validate/cuda/cases/memory_shapes.hpp"
#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/device_buffer.hpp"

namespace mlosim::measure {
namespace {

enum class Path { l1, l2, shared };

struct Line {
  std::uint64_t next;  // the address of the next line; in shared memory an offset
  std::uint64_t others[kLineBytes / 8 - 1];
};
static_assert(sizeof(Line) == kLineBytes);

struct ChaseTime {
  unsigned long long nanoseconds;
  unsigned long long clocks;
  std::uint64_t last;  // where the walk goes on
};

__device__ unsigned long long now_ns() {
  unsigned long long time;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(time)::"memory");
  return time;
}

// A full cycle over `lines`, a power of two, in an order that no prefetcher follows: the linear congruence i -> a i + c
// with a = 1 mod 4 and odd c visits every number once (Hull and Dobell 1962).
__host__ __device__ std::uint64_t next_line(std::uint64_t line, std::uint64_t lines) {
  return (line * 0x5851f42d4c957f2dull + 0x14057b7ef767814full) & (lines - 1);
}

__global__ void link_kernel(Line* lines, std::uint64_t count) {
  const std::uint64_t stride = std::uint64_t(gridDim.x) * blockDim.x;
  for (std::uint64_t i = std::uint64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride)
    lines[i].next = reinterpret_cast<std::uint64_t>(lines + next_line(i, count));
}

template <Path kPath>
__device__ __forceinline__ std::uint64_t load(std::uint64_t at) {
  std::uint64_t next;
  if constexpr (kPath == Path::l1) asm volatile("ld.global.ca.u64 %0, [%1];" : "=l"(next) : "l"(at) : "memory");
  if constexpr (kPath == Path::l2) asm volatile("ld.global.cg.u64 %0, [%1];" : "=l"(next) : "l"(at) : "memory");
  if constexpr (kPath == Path::shared)
    asm volatile("ld.shared.u64 %0, [%1];" : "=l"(next) : "r"(static_cast<unsigned>(at)) : "memory");
  return next;
}

template <Path kPath>
__device__ std::uint64_t walk(std::uint64_t at, int hops) {
#pragma unroll 16
  for (int i = 0; i < hops; ++i) at = load<kPath>(at);
  return at;
}

template <Path kPath>
__device__ void time_walk(std::uint64_t at, int hops, ChaseTime* time) {
  const unsigned long long begin = now_ns();
  const long long begin_clock = clock64();
  at = walk<kPath>(at, hops);
  // The clocks wait for the last load: they are read behind a use of it.
  if (at == ~std::uint64_t{0}) __trap();
  const long long end_clock = clock64();
  *time = {now_ns() - begin, static_cast<unsigned long long>(end_clock - begin_clock), at};
}

// `warm` hops first, so that a small footprint is where it will be found; then on from where the last launch ended.
template <Path kPath>
__global__ void chase_kernel(int warm, int hops, ChaseTime* time) {
  time_walk<kPath>(walk<kPath>(time->last, warm), hops, time);
}

__global__ void chase_shared_kernel(std::uint64_t lines, int hops, ChaseTime* time) {
  extern __shared__ __align__(128) Line shared_lines[];
  const std::uint64_t base = __cvta_generic_to_shared(shared_lines);
  for (std::uint64_t i = 0; i < lines; ++i) shared_lines[i].next = base + next_line(i, lines) * sizeof(Line);
  time_walk<Path::shared>(walk<Path::shared>(base, int(lines)), hops, time);
}

// Each of `count` lines points to itself: the second and later loads of it come from the L2, wherever it lies there.
__global__ void link_to_self_kernel(Line* lines, int count, int distance) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < count)
    lines[std::size_t(i) * distance].next = reinterpret_cast<std::uint64_t>(lines + std::size_t(i) * distance);
}

__global__ void line_latency_kernel(const Line* lines, int count, int distance, int hops, unsigned* clocks,
                                    ChaseTime* whole) {
  const unsigned long long begin = now_ns();
  const long long begin_clock = clock64();
  for (int i = 0; i < count; ++i) {
    std::uint64_t at = reinterpret_cast<std::uint64_t>(lines + std::size_t(i) * distance);
    at = walk<Path::l2>(at, 2);
    if (at == ~std::uint64_t{0}) __trap();
    const long long first = clock64();
    at = walk<Path::l2>(at, hops);
    if (at == ~std::uint64_t{0}) __trap();
    clocks[i] = unsigned(clock64() - first);
  }
  *whole = {now_ns() - begin, static_cast<unsigned long long>(clock64() - begin_clock), 0};
}

ChaseTime read_time(const DeviceBuffer& time, cudaStream_t stream) {
  ChaseTime host{};
  MEASURE_CUDA(cudaMemcpyAsync(&host, time.data(), sizeof(host), cudaMemcpyDeviceToHost, stream));
  MEASURE_CUDA(cudaStreamSynchronize(stream));
  return host;
}

constexpr int kMostWarmHops = 1 << 14;

// Runs the launch and reads what it has left, as often as it takes.
Measurement measure_chase(const Launch& launch, const DeviceBuffer& time, int hops, cudaStream_t stream) {
  Measurement measurement;
  std::vector<double> clocks;
  for (int i = 0; i < kChaseSamples; ++i) {
    launch(stream);
    const ChaseTime one = read_time(time, stream);
    measurement.seconds.push_back(static_cast<double>(one.nanoseconds) * 1e-9 / hops);
    clocks.push_back(static_cast<double>(one.clocks) / hops);
  }
  measurement.results = {number_cell("latency_clk", median(clocks))};
  return measurement;
}

Launch chase_launch(Path path, std::int64_t bytes, const std::shared_ptr<DeviceBuffer>& lines,
                    const std::shared_ptr<DeviceBuffer>& time) {
  const std::int64_t count = bytes / kLineBytes;
  const int warm = static_cast<int>(count <= kMostWarmHops ? count : 0);
  const auto hops = static_cast<int>(chase_hops(bytes));
  if (path == Path::shared)
    return [=](cudaStream_t stream) {
      chase_shared_kernel<<<1, 1, static_cast<std::size_t>(bytes), stream>>>(static_cast<std::uint64_t>(count), hops,
                                                                             time->as<ChaseTime>());
      MEASURE_CUDA(cudaGetLastError());
    };
  return [=](cudaStream_t stream) {
    (path == Path::l1 ? chase_kernel<Path::l1> : chase_kernel<Path::l2>)<<<1, 1, 0, stream>>>(warm, hops,
                                                                                              time->as<ChaseTime>());
    MEASURE_CUDA(cudaGetLastError());
    static_cast<void>(lines);
  };
}

// The walk's order once more on the host: after so many hops it is at one place and no other.
std::string check_walk(const DeviceBuffer& lines, const DeviceBuffer& time, std::int64_t bytes, cudaStream_t stream) {
  const std::int64_t count = bytes / kLineBytes;
  const std::int64_t hops = chase_hops(bytes) + (count <= kMostWarmHops ? count : 0);
  std::uint64_t line = 0;
  for (std::int64_t i = 0; i < hops; ++i) line = next_line(line, static_cast<std::uint64_t>(count));
  const std::uint64_t expected = reinterpret_cast<std::uint64_t>(lines.data()) + line * kLineBytes;
  return read_time(time, stream).last == expected ? "" : "the walk did not end where its links lead";
}

}  // namespace

Bench prepare_pointer_chase(const State& state, const Plan&, const Gpu& gpu) {
  const std::int64_t bytes = state.integer("bytes");
  const std::string& word = state.text("path");
  const Path path = word == "l1" ? Path::l1 : word == "l2" ? Path::l2 : Path::shared;
  const auto lines = make_buffer(static_cast<std::size_t>(bytes));
  const auto time = make_buffer(sizeof(ChaseTime));
  // Every word of the footprint is written, which also brings it into the L2.
  fill_random_bits(*lines, 1, gpu.stream);
  link_kernel<<<256, 256, 0, gpu.stream>>>(lines->as<Line>(), static_cast<std::uint64_t>(bytes / kLineBytes));
  MEASURE_CUDA(cudaGetLastError());
  const ChaseTime start{0, 0, reinterpret_cast<std::uint64_t>(lines->data())};
  MEASURE_CUDA(cudaMemcpyAsync(time->data(), &start, sizeof(start), cudaMemcpyHostToDevice, gpu.stream));
  MEASURE_CUDA(cudaStreamSynchronize(gpu.stream));
  const Launch launch = chase_launch(path, bytes, lines, time);
  Bench bench;
  bench.launches = {launch};
  bench.timing = Timing::self;
  if (path != Path::shared) bench.check = [=, stream = gpu.stream] { return check_walk(*lines, *time, bytes, stream); };
  bench.measure = [=, stream = gpu.stream](const Criterion&) {
    return measure_chase(launch, *time, static_cast<int>(chase_hops(bytes)), stream);
  };
  return bench;
}

namespace {

struct Parts {
  double near = 0;
  double far = 0;
  double near_share = 0;
};

// Two means in one dimension, from the extremes, until nothing changes sides.
Parts split(const std::vector<double>& values) {
  auto [low, high] = std::minmax_element(values.begin(), values.end());
  Parts parts{*low, *high, 0};
  for (int round = 0; round < 50; ++round) {
    double sums[2] = {0, 0};
    int counts[2] = {0, 0};
    for (const double value : values) {
      const int side = value > (parts.near + parts.far) / 2;
      sums[side] += value;
      ++counts[side];
    }
    const Parts next{sums[0] / std::max(counts[0], 1), counts[1] > 0 ? sums[1] / counts[1] : parts.far,
                     static_cast<double>(counts[0]) / static_cast<double>(values.size())};
    const bool is_settled = next.near == parts.near && next.far == parts.far;
    parts = next;
    if (is_settled) break;
  }
  return parts;
}

constexpr int kPartLines = 2048;
constexpr int kPartDistance = 17;  // lines apart, over 4 MiB: in every slice of the L2
constexpr int kPartHops = 64;

}  // namespace

Bench prepare_l2_distance(const State& state, const Plan&, const Gpu& gpu) {
  const bool is_near = state.text("part") == "near";
  const auto lines = make_buffer(std::size_t{kPartLines} * kPartDistance * sizeof(Line));
  const auto clocks = make_buffer(kPartLines * sizeof(unsigned));
  const auto whole = make_buffer(sizeof(ChaseTime));
  fill_random_bits(*lines, 1, gpu.stream);
  link_to_self_kernel<<<kPartLines / 256, 256, 0, gpu.stream>>>(lines->as<Line>(), kPartLines, kPartDistance);
  MEASURE_CUDA(cudaGetLastError());
  MEASURE_CUDA(cudaStreamSynchronize(gpu.stream));
  const Launch launch = [=](cudaStream_t stream) {
    line_latency_kernel<<<1, 1, 0, stream>>>(lines->as<Line>(), kPartLines, kPartDistance, kPartHops,
                                             clocks->as<unsigned>(), whole->as<ChaseTime>());
    MEASURE_CUDA(cudaGetLastError());
  };
  Bench bench;
  bench.launches = {launch};
  bench.timing = Timing::self;
  bench.measure = [=, stream = gpu.stream](const Criterion&) {
    Measurement measurement;
    std::vector<double> latencies;
    std::vector<double> shares;
    for (int i = 0; i < kChaseSamples; ++i) {
      launch(stream);
      const ChaseTime time = read_time(*whole, stream);
      std::vector<unsigned> host(kPartLines);
      MEASURE_CUDA(cudaMemcpy(host.data(), clocks->data(), clocks->bytes(), cudaMemcpyDeviceToHost));
      std::vector<double> values(host.begin(), host.end());
      for (double& value : values) value /= kPartHops;
      const Parts parts = split(values);
      latencies.push_back(is_near ? parts.near : parts.far);
      shares.push_back(is_near ? parts.near_share : 1 - parts.near_share);
      const double seconds_per_clock = static_cast<double>(time.nanoseconds) * 1e-9 / static_cast<double>(time.clocks);
      measurement.seconds.push_back(latencies.back() * seconds_per_clock);
    }
    measurement.results = {number_cell("latency_clk", median(latencies)), number_cell("share", median(shares), 3)};
    return measurement;
  };
  return bench;
}

}  // namespace mlosim::measure
