// memory.l2 and memory.sm_scaling: blocks of 1024 threads that go round a footprint past the L1.
#include <algorithm>

#include "validate/cuda/cases/benches.hpp"
#include "validate/cuda/cases/memory_shapes.hpp"
#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/device_buffer.hpp"

namespace mlosim::measure {
namespace {

constexpr unsigned kThreads = 1024;
constexpr unsigned kUnroll = 8;

struct Sweep {
  const uint4* data;
  std::size_t vectors;            // of the footprint; a multiple of kThreads
  std::size_t vectors_per_block;  // read by each; a multiple of kThreads * kUnroll
  std::size_t block_distance;     // in vectors, between the places where neighbours begin
  std::size_t first;              // where block 0 begins
};

__device__ unsigned folded(const uint4& value) { return value.x ^ value.y ^ value.z ^ value.w; }

// A block goes on from the end of the footprint at its beginning. Sums make it do every load.
__global__ void __launch_bounds__(kThreads, 1) sweep_kernel(Sweep sweep, unsigned* sums) {
  std::size_t at = (sweep.first + blockIdx.x * sweep.block_distance) % sweep.vectors + threadIdx.x;
  unsigned sum = 0;
  for (std::size_t done = 0; done < sweep.vectors_per_block; done += std::size_t(kThreads) * kUnroll) {
    uint4 values[kUnroll];
#pragma unroll
    for (unsigned i = 0; i < kUnroll; ++i) {
      if (at >= sweep.vectors) at -= sweep.vectors;
      values[i] = __ldcg(sweep.data + at);
      at += kThreads;
    }
#pragma unroll
    for (unsigned i = 0; i < kUnroll; ++i) sum += folded(values[i]);
  }
  sums[std::size_t(blockIdx.x) * kThreads + threadIdx.x] = sum;
}

// The same sum over all blocks, each vector by its place counted from the beginning of its block.
__global__ void sweep_reference_kernel(Sweep sweep, unsigned blocks, unsigned* sum) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  unsigned mine = 0;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < blocks * sweep.vectors_per_block;
       i += stride) {
    const std::size_t begin = sweep.first + i / sweep.vectors_per_block * sweep.block_distance;
    mine += folded(sweep.data[(begin + i % sweep.vectors_per_block) % sweep.vectors]);
  }
  atomicAdd(sum, mine);
}

std::string check_sums(const Sweep& sweep, unsigned blocks, const DeviceBuffer& sums, cudaStream_t stream) {
  const DeviceBuffer expected(sizeof(unsigned));
  std::vector<unsigned> found(std::size_t(blocks) * kThreads);
  unsigned sum = 0;
  MEASURE_CUDA(cudaMemsetAsync(expected.data(), 0, sizeof(sum), stream));
  sweep_reference_kernel<<<blocks, kThreads, 0, stream>>>(sweep, blocks, expected.as<unsigned>());
  MEASURE_CUDA(cudaGetLastError());
  MEASURE_CUDA(cudaMemcpyAsync(&sum, expected.data(), sizeof(sum), cudaMemcpyDeviceToHost, stream));
  MEASURE_CUDA(cudaMemcpyAsync(found.data(), sums.data(), sums.bytes(), cudaMemcpyDeviceToHost, stream));
  MEASURE_CUDA(cudaStreamSynchronize(stream));
  for (const unsigned one : found) sum -= one;
  return sum == 0 ? "" : "the words that were read do not add up";
}

Bench prepare_sweep(const SweepShape& shape, const Gpu& gpu) {
  const auto blocks = static_cast<unsigned>(shape.blocks);
  const auto data = make_buffer(static_cast<std::size_t>(shape.footprint_bytes));
  const auto sums = make_buffer(std::size_t(blocks) * kThreads * sizeof(unsigned));
  fill_random_bits(*data, 1, gpu.stream);
  const std::size_t vectors = data->bytes() / 16;
  const auto per_block = static_cast<std::size_t>(shape.bytes_per_block) / 16;
  // A launch reads one stretch after another where the footprint is longer than what it reads; else blocks begin spread
  // evenly over it.
  const bool is_long = vectors >= per_block * blocks;
  const std::size_t spread = std::max<std::size_t>(vectors / blocks / kThreads, 1) * kThreads;
  Bench bench;
  for (std::int64_t i = 0; i < shape.launches; ++i) {
    const Sweep sweep{.data = data->as<uint4>(),
                      .vectors = vectors,
                      .vectors_per_block = per_block,
                      .block_distance = is_long ? per_block : spread,
                      .first = static_cast<std::size_t>(i) * per_block * blocks % vectors};
    bench.launches.push_back([sweep, blocks, data, sums](cudaStream_t stream) {
      sweep_kernel<<<blocks, kThreads, 0, stream>>>(sweep, sums->as<unsigned>());
      MEASURE_CUDA(cudaGetLastError());
    });
  }
  // Sums are of the launch that was last.
  const std::size_t last = static_cast<std::size_t>(shape.launches - 1) * per_block * blocks % vectors;
  bench.check = [=, stream = gpu.stream] {
    const Sweep sweep{data->as<uint4>(), vectors, per_block, is_long ? per_block : spread, last};
    return check_sums(sweep, blocks, *sums, stream);
  };
  bench.results = [shape](Seconds time) -> Cells {
    return {number_cell("traffic_bytes", shape.traffic_bytes(), 12),
            number_cell("gb_per_s", shape.traffic_bytes() / time.count() * 1e-9)};
  };
  return bench;
}

}  // namespace

Bench prepare_l2_bandwidth(const State& state, const Plan&, const Gpu& gpu) {
  return prepare_sweep(l2_shape(state, gpu.facts), gpu);
}

Bench prepare_sm_scaling(const State& state, const Plan&, const Gpu& gpu) {
  return prepare_sweep(sm_scaling_shape(state, gpu.facts), gpu);
}

}  // namespace mlosim::measure
