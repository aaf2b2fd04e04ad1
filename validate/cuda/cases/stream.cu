// memory.stream: arrays of so many bytes copied, read, written and combined, each access 16 bytes a thread with four in
// flight.
#include <stdexcept>

#include "validate/cuda/cases/benches.hpp"
#include "validate/cuda/cases/memory_shapes.hpp"
#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/device_buffer.hpp"
#include "validate/cuda/kernels/hash.cuh"

namespace mlosim::measure {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kUnroll = 4;
constexpr std::size_t kVectorsPerBlock = kThreads * kUnroll;
constexpr float kScale = 0.75f;
constexpr uint4 kPattern = {0x3f9d70a4u, 0xbf12f685u, 0x40a1c0deu, 0xc0490fdbu};

unsigned blocks_of(std::size_t vectors) { return unsigned((vectors + kVectorsPerBlock - 1) / kVectorsPerBlock); }

// The vectors of a thread: kUnroll of them, a block's width apart, so that a warp's accesses are neighbours.
template <typename Body>
__device__ __forceinline__ void for_own_vectors(std::size_t vectors, Body body) {
  const std::size_t first = std::size_t(blockIdx.x) * kVectorsPerBlock + threadIdx.x;
#pragma unroll
  for (unsigned i = 0; i < kUnroll; ++i)
    if (first + i * kThreads < vectors) body(i, first + i * kThreads);
}

__global__ void __launch_bounds__(kThreads)
    copy_kernel(const uint4* __restrict__ from, uint4* __restrict__ to, std::size_t vectors) {
  uint4 values[kUnroll];
  for_own_vectors(vectors, [&](unsigned i, std::size_t at) { values[i] = from[at]; });
  for_own_vectors(vectors, [&](unsigned i, std::size_t at) { to[at] = values[i]; });
}

// Each warp leaves the exclusive or of what it has read: the loads cannot be left out and the check can tell them.
__global__ void __launch_bounds__(kThreads)
    read_kernel(const uint4* __restrict__ from, unsigned* __restrict__ sums, std::size_t vectors) {
  uint4 values[kUnroll] = {};
  for_own_vectors(vectors, [&](unsigned i, std::size_t at) { values[i] = from[at]; });
  unsigned sum = 0;
#pragma unroll
  for (const uint4& value : values) sum ^= value.x ^ value.y ^ value.z ^ value.w;
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) sum ^= __shfl_xor_sync(0xffffffffu, sum, distance);
  if (threadIdx.x % 32 == 0) sums[(std::size_t(blockIdx.x) * kThreads + threadIdx.x) / 32] = sum;
}

__global__ void __launch_bounds__(kThreads) write_kernel(uint4* __restrict__ to, uint4 value, std::size_t vectors) {
  for_own_vectors(vectors, [&](unsigned, std::size_t at) { to[at] = value; });
}

__global__ void __launch_bounds__(kThreads) triad_kernel(const float4* __restrict__ b, const float4* __restrict__ c,
                                                         float4* __restrict__ a, std::size_t vectors) {
  float4 left[kUnroll];
  float4 right[kUnroll];
  for_own_vectors(vectors, [&](unsigned i, std::size_t at) { left[i] = b[at]; });
  for_own_vectors(vectors, [&](unsigned i, std::size_t at) { right[i] = c[at]; });
  for_own_vectors(vectors, [&](unsigned i, std::size_t at) {
    a[at] = {left[i].x + kScale * right[i].x, left[i].y + kScale * right[i].y, left[i].z + kScale * right[i].z,
             left[i].w + kScale * right[i].w};
  });
}

// In [-1, 1), never a NaN.
__device__ float triad_operand(std::uint64_t seed, std::size_t place) {
  return static_cast<float>(hash_of(seed, place) >> 40) * 0x1p-23f - 1.f;
}

__global__ void fill_floats_kernel(float* to, std::size_t count, std::uint64_t seed) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride)
    to[i] = triad_operand(seed, i);
}

// The straight way to the same result, a word at a time.
enum class Expected { copied, pattern, triad };

__global__ void count_wrong_kernel(const std::uint32_t* found, const std::uint32_t* from, Expected expected,
                                   std::size_t words, std::uint64_t seed, unsigned long long* wrong) {
  const std::uint32_t pattern[4] = {kPattern.x, kPattern.y, kPattern.z, kPattern.w};
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  unsigned long long mine = 0;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < words; i += stride) {
    if (expected == Expected::copied) mine += found[i] != from[i];
    if (expected == Expected::pattern) mine += found[i] != pattern[i % 4];
    if (expected == Expected::triad) {
      const double sum = double(triad_operand(seed, i)) + double(kScale) * double(triad_operand(seed + 1, i));
      mine += !(fabs(double(__uint_as_float(found[i])) - sum) <= 1e-6);
    }
  }
  if (mine > 0) atomicAdd(wrong, mine);
}

__global__ void xor_kernel(const std::uint32_t* words, std::size_t count, unsigned* sum) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  unsigned mine = 0;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) mine ^= words[i];
  atomicXor(sum, mine);
}

constexpr int kCheckBlocks = 1024;

unsigned xor_of(const void* words, std::size_t count, cudaStream_t stream) {
  const DeviceBuffer sum(sizeof(unsigned));
  unsigned host = 0;
  MEASURE_CUDA(cudaMemsetAsync(sum.data(), 0, sizeof(unsigned), stream));
  xor_kernel<<<kCheckBlocks, kThreads, 0, stream>>>(static_cast<const std::uint32_t*>(words), count,
                                                    sum.as<unsigned>());
  MEASURE_CUDA(cudaGetLastError());
  MEASURE_CUDA(cudaMemcpyAsync(&host, sum.data(), sizeof(unsigned), cudaMemcpyDeviceToHost, stream));
  MEASURE_CUDA(cudaStreamSynchronize(stream));
  return host;
}

unsigned long long count_wrong(const void* found, const void* from, Expected expected, std::size_t bytes,
                               std::uint64_t seed, cudaStream_t stream) {
  const DeviceBuffer wrong(sizeof(unsigned long long));
  unsigned long long host = 0;
  MEASURE_CUDA(cudaMemsetAsync(wrong.data(), 0, sizeof(host), stream));
  count_wrong_kernel<<<kCheckBlocks, kThreads, 0, stream>>>(static_cast<const std::uint32_t*>(found),
                                                            static_cast<const std::uint32_t*>(from), expected,
                                                            bytes / 4, seed, wrong.as<unsigned long long>());
  MEASURE_CUDA(cudaGetLastError());
  MEASURE_CUDA(cudaMemcpyAsync(&host, wrong.data(), sizeof(host), cudaMemcpyDeviceToHost, stream));
  MEASURE_CUDA(cudaStreamSynchronize(stream));
  return host;
}

std::string wrong_words(unsigned long long wrong) {
  return wrong == 0 ? "" : std::to_string(wrong) + " words differ from the reference";
}

// What one launch works on; a bench goes round several of these.
struct Arrays {
  std::shared_ptr<DeviceBuffer> to;  // of a read, the warps' sums
  std::shared_ptr<DeviceBuffer> from;
  std::shared_ptr<DeviceBuffer> other;
  std::uint64_t seed = 0;
};

// Read operands are random; a result begins as other random bits, so that a word that no one writes is found.
Arrays make_arrays(const std::string& op, std::size_t bytes, std::uint64_t seed, cudaStream_t stream) {
  Arrays arrays;
  arrays.seed = seed;
  if (op == "triad") {
    arrays.from = make_buffer(bytes);
    arrays.other = make_buffer(bytes);
    fill_floats_kernel<<<kCheckBlocks, kThreads, 0, stream>>>(arrays.from->as<float>(), bytes / 4, seed);
    fill_floats_kernel<<<kCheckBlocks, kThreads, 0, stream>>>(arrays.other->as<float>(), bytes / 4, seed + 1);
    MEASURE_CUDA(cudaGetLastError());
  } else if (op != "write") {
    arrays.from = make_buffer(bytes);
    fill_random_bits(*arrays.from, seed, stream);
  }
  arrays.to = make_buffer(op == "read" ? blocks_of(bytes / 16) * std::size_t(kThreads / 32) * 4 : bytes);
  fill_random_bits(*arrays.to, seed + 2, stream);
  return arrays;
}

Launch make_launch(const std::string& op, const Arrays& arrays, std::size_t bytes) {
  const std::size_t vectors = bytes / 16;
  const unsigned blocks = blocks_of(vectors);
  if (op == "copy")
    return [=](cudaStream_t stream) {
      copy_kernel<<<blocks, kThreads, 0, stream>>>(arrays.from->as<uint4>(), arrays.to->as<uint4>(), vectors);
      MEASURE_CUDA(cudaGetLastError());
    };
  if (op == "memcpy")
    return [=](cudaStream_t stream) {
      MEASURE_CUDA(cudaMemcpyAsync(arrays.to->data(), arrays.from->data(), bytes, cudaMemcpyDeviceToDevice, stream));
    };
  if (op == "read")
    return [=](cudaStream_t stream) {
      read_kernel<<<blocks, kThreads, 0, stream>>>(arrays.from->as<uint4>(), arrays.to->as<unsigned>(), vectors);
      MEASURE_CUDA(cudaGetLastError());
    };
  if (op == "write")
    return [=](cudaStream_t stream) {
      write_kernel<<<blocks, kThreads, 0, stream>>>(arrays.to->as<uint4>(), kPattern, vectors);
      MEASURE_CUDA(cudaGetLastError());
    };
  if (op == "triad")
    return [=](cudaStream_t stream) {
      triad_kernel<<<blocks, kThreads, 0, stream>>>(arrays.from->as<float4>(), arrays.other->as<float4>(),
                                                    arrays.to->as<float4>(), vectors);
      MEASURE_CUDA(cudaGetLastError());
    };
  throw std::logic_error("memory.stream has no op " + op);
}

std::string check_arrays(const std::string& op, const Arrays& arrays, std::size_t bytes, cudaStream_t stream) {
  if (op == "read") {
    const unsigned found = xor_of(arrays.to->data(), arrays.to->bytes() / 4, stream);
    const unsigned expected = xor_of(arrays.from->data(), bytes / 4, stream);
    return found == expected ? "" : "the words that were read do not add up";
  }
  const Expected expected = op == "write" ? Expected::pattern : op == "triad" ? Expected::triad : Expected::copied;
  const void* from = arrays.from ? arrays.from->data() : nullptr;
  return wrong_words(count_wrong(arrays.to->data(), from, expected, bytes, arrays.seed, stream));
}

}  // namespace

Bench prepare_stream(const State& state, const Plan&, const Gpu& gpu) {
  const StreamShape shape = stream_shape(state, gpu.facts);
  const std::string op = state.text("op");
  const auto bytes = static_cast<std::size_t>(shape.array_bytes);
  std::vector<Arrays> copies;
  Bench bench;
  for (std::int64_t i = 0; i < shape.copies; ++i) {
    copies.push_back(make_arrays(op, bytes, 3 * static_cast<std::uint64_t>(i) + 1, gpu.stream));
    bench.launches.push_back(make_launch(op, copies.back(), bytes));
  }
  bench.check = [=, stream = gpu.stream] {
    const std::string first = check_arrays(op, copies.front(), bytes, stream);
    return first.empty() ? check_arrays(op, copies.back(), bytes, stream) : first;
  };
  bench.results = [shape](Seconds time) -> Cells {
    return {number_cell("traffic_bytes", shape.traffic_bytes(), 12), integer_cell("copies", shape.copies),
            number_cell("gb_per_s", shape.traffic_bytes() / time.count() * 1e-9)};
  };
  return bench;
}

}  // namespace mlosim::measure
