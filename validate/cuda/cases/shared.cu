// memory.shared: all SMs read their shared memory, 4 or 16 bytes a lane, with so many lanes to a bank.
#include "validate/cuda/cases/benches.hpp"
#include "validate/cuda/cases/memory_shapes.hpp"
#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/device_buffer.hpp"

namespace mlosim::measure {
namespace {

constexpr int kWords = 8192;  // 32 KiB
constexpr unsigned kUnroll = 8;

// Volatile assembly: each of these loads is done, in whatever order, and none is merged with another.
__device__ __forceinline__ unsigned load_word(unsigned address) {
  unsigned value;
  asm volatile("ld.shared.u32 %0, [%1];" : "=r"(value) : "r"(address));
  return value;
}

__device__ __forceinline__ unsigned load_vector(unsigned address) {
  uint4 value;
  asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
               : "r"(address));
  return value.x ^ value.y ^ value.z ^ value.w;
}

// Lane i reads the word i * stride of a window that moves with the warp and with each step, never past the array:
// `stride` lanes of a warp share a bank where the access is 4 bytes wide.
__host__ __device__ constexpr unsigned first_byte(unsigned thread, unsigned stride) {
  return (thread % 32 * stride + thread / 32 * 32) * 4;
}
constexpr unsigned kStepBytes = 512;
constexpr unsigned kRoundBytes = kUnroll * kStepBytes;
constexpr unsigned kRounds = 4;  // until the window is back at its beginning
static_assert(first_byte(1023, 32) + kRounds * kRoundBytes <= kWords * 4);

template <int kWidth>
__global__ void __launch_bounds__(kSharedThreads) shared_kernel(unsigned stride, int reads, unsigned* sums) {
  __shared__ __align__(16) unsigned words[kWords];
  for (int i = int(threadIdx.x); i < kWords; i += int(blockDim.x)) words[i] = 2654435761u * unsigned(i);
  __syncthreads();
  const unsigned first = static_cast<unsigned>(__cvta_generic_to_shared(words)) + first_byte(threadIdx.x, stride);
  unsigned sum = 0;
  for (unsigned round = 0; round < unsigned(reads) / kUnroll; ++round) {
    const unsigned at = first + round % kRounds * kRoundBytes;
#pragma unroll
    for (unsigned step = 0; step < kUnroll; ++step)
      sum += kWidth == 16 ? load_vector(at + step * kStepBytes) : load_word(at + step * kStepBytes);
  }
  sums[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

// What each thread of a block adds up, by the rules of the kernel.
unsigned expected_sum(unsigned thread, unsigned width, unsigned stride) {
  unsigned sum = 0;
  for (unsigned read = 0; read < kSharedReadsPerThread; ++read) {
    const unsigned first = (first_byte(thread, stride) + read % (kRounds * kUnroll) * kStepBytes) / 4;
    unsigned value = 0;
    for (unsigned j = 0; j < width / 4; ++j) value ^= 2654435761u * (first + j);
    sum += value;
  }
  return sum;
}

std::string check_sums(const DeviceBuffer& sums, unsigned width, unsigned stride) {
  std::vector<unsigned> found(sums.bytes() / sizeof(unsigned));
  MEASURE_CUDA(cudaMemcpy(found.data(), sums.data(), sums.bytes(), cudaMemcpyDeviceToHost));
  std::vector<unsigned> expected;
  for (unsigned thread = 0; thread < kSharedThreads; ++thread) expected.push_back(expected_sum(thread, width, stride));
  for (std::size_t i = 0; i < found.size(); ++i)
    if (found[i] != expected[i % kSharedThreads]) return "the sums of what was read differ from the reference";
  return "";
}

}  // namespace

Bench prepare_shared_bandwidth(const State& state, const Plan&, const Gpu& gpu) {
  const auto width = static_cast<unsigned>(state.integer("width"));
  const auto ways = static_cast<unsigned>(state.integer("ways"));
  const unsigned stride = width == 16 ? 4 : ways;
  const auto blocks = static_cast<unsigned>(gpu.facts.sms);
  const auto sums = make_buffer(std::size_t(blocks) * kSharedThreads * sizeof(unsigned));
  fill_random_bits(*sums, 1, gpu.stream);
  Bench bench;
  bench.launches = {[=](cudaStream_t stream) {
    if (width == 16)
      shared_kernel<16><<<blocks, kSharedThreads, 0, stream>>>(stride, kSharedReadsPerThread, sums->as<unsigned>());
    else
      shared_kernel<4><<<blocks, kSharedThreads, 0, stream>>>(stride, kSharedReadsPerThread, sums->as<unsigned>());
    MEASURE_CUDA(cudaGetLastError());
  }};
  bench.check = [=] { return check_sums(*sums, width, stride); };
  const double bytes = double(blocks) * double(kSharedThreads) * double(kSharedReadsPerThread) * double(width);
  bench.results = [bytes](Seconds time) -> Cells { return {number_cell("gb_per_s", bytes / time.count() * 1e-9)}; };
  return bench;
}

}  // namespace mlosim::measure
