// Device half of peak.tensor: the rate of one matrix instruction, or of the library's best large product.

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <cmath>
#include <cstring>
#include <sstream>

#include "validate/cuda/cases/benches.hpp"
#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/event.hpp"
#include "validate/cuda/device/gemm_setup.hpp"
#include "validate/cuda/device/random_numbers.hpp"
#include "validate/cuda/kernels/mma_loop.cuh"
#include "validate/cuda/kernels/wgmma_loop.cuh"
#include "validate/cuda/operation/tensor_path.hpp"

namespace mlosim::measure {
namespace {

constexpr int kWgmmaRounds = 2000;  // about a millisecond on any of these GPUs, each
constexpr int kMmaRounds = 400;
constexpr int kCandidates = 8;
constexpr int kFewestWgmmaRegisters = 128;

double element_of(const void* bytes, DType dtype) {
  const auto read = [bytes](auto value) {
    std::memcpy(&value, bytes, sizeof value);
    return static_cast<double>(static_cast<float>(value));
  };
  switch (dtype) {
    case DType::fp32:
    case DType::tf32:
      return read(float{});
    case DType::fp16:
      return read(__half{});
    case DType::bf16:
      return read(__nv_bfloat16{});
    case DType::fp8:
      return read(__nv_fp8_e4m3{});
    case DType::int8:
      return read(std::int8_t{});
  }
  return 0;
}

// A kernel's operands and what it writes when it is run for one round.
struct Probe {
  std::vector<char> operands;
  std::vector<char> results;  // 4 bytes each: floats, or whole numbers for int8

  double result(std::size_t index, DType dtype) const {
    const char* at = results.data() + index * 4;
    std::int32_t whole = 0;
    std::memcpy(&whole, at, sizeof whole);
    return dtype == DType::int8 ? whole : element_of(at, DType::fp32);
  }
};

// Of one accumulator, over the sum of its products' magnitudes: tf32 cuts the operands, fp8 the accumulator.
double error_of(DType dtype) {
  if (dtype == DType::int8) return 0;
  if (dtype == DType::tf32) return 0x1p-9;
  return dtype == DType::fp8 ? 0x1p-8 : 0x1p-12;
}

// The product of two rows that lie in `operands` with byte `byte` of step `step` at offset(step, byte).
template <typename OffsetA, typename OffsetB>
std::string compare(double found, const Probe& probe, DType dtype, int steps, OffsetA a, OffsetB b) {
  double sum = 0, magnitude = 0;
  for (int step = 0; step < steps; ++step)
    for (int byte = 0; byte < kStepBytes; byte += static_cast<int>(bytes_of(dtype))) {
      const double product = element_of(probe.operands.data() + a(step, byte), dtype) *
                             element_of(probe.operands.data() + b(step, byte), dtype);
      sum += product;
      magnitude += std::fabs(product);
    }
  const double allowed = magnitude * error_of(dtype);
  if (std::fabs(found - sum) <= allowed) return "";
  std::ostringstream text;
  text << "an accumulator is " << found << " where double precision gives " << sum;
  return text.str();
}

std::string check_wgmma(const Probe& probe, DType dtype) {
  using Tile = WgmmaTile;
  for (int thread = 0; thread < kWgmmaThreads; ++thread)
    for (int index = 0; index < 128; index += 7) {
      const Place place = wgmma_place(thread % 128, index);
      const std::string wrong = compare(
          probe.result(static_cast<std::size_t>(thread) * 128 + index, dtype), probe, dtype, Tile::kSteps,
          [&](int step, int byte) {
            return thread / 128 * Tile::kBytesA + wgmma_offset(Tile::kRowsA, place.row, step, byte);
          },
          [&](int step, int byte) { return 2 * Tile::kBytesA + wgmma_offset(Tile::kRowsB, place.column, step, byte); });
      if (!wrong.empty()) return wrong;
    }
  return "";
}

// One round repeats the same product, which is divided out.
std::string check_mma(const Probe& probe, DType dtype) {
  using Tile = MmaTile;
  for (int lane = 0; lane < 32; ++lane)
    for (int tile = 0; tile < Tile::kTilesA * Tile::kTilesB; ++tile)
      for (int index = 0; index < 4; ++index) {
        const Place place = mma_place_c(lane, index);
        const int a = (tile / Tile::kTilesB * Tile::kRowsA + place.row) * kStepBytes;
        const int b = Tile::kBytesA + (tile % Tile::kTilesB * Tile::kRowsB + place.column) * kStepBytes;
        const std::size_t at = (static_cast<std::size_t>(lane) * Tile::kTilesA * Tile::kTilesB + tile) * 4 + index;
        const std::string wrong = compare(
            probe.result(at, dtype) / Tile::kUnroll, probe, dtype, 1, [&](int, int byte) { return a + byte; },
            [&](int, int byte) { return b + byte; });
        if (!wrong.empty()) return wrong;
      }
  return "";
}

// A kernel that repeats one instruction.
struct Loop {
  const void* kernel = nullptr;
  int threads = 0, blocks = 0, rounds = 0;
  std::size_t operand_bytes = 0, result_bytes = 0;
  double flops_per_round = 0;  // of one block
  std::string (*check)(const Probe&, DType) = nullptr;

  void launch(const DeviceBuffer& operands, int times, void* results, cudaStream_t stream) const {
    const void* from = operands.data();
    void* arguments[] = {&from, &times, &results};
    MEASURE_CUDA(cudaLaunchKernel(kernel, dim3(blocks), dim3(threads), arguments, 0, stream));
  }
};

template <DType dtype>
Loop wgmma_loop_of(int sms) {
  using Tile = WgmmaTile;
  const double k = double(kStepBytes) * Tile::kSteps / bytes_of(dtype);
  return {.kernel = reinterpret_cast<const void*>(wgmma_loop<dtype>),
          .threads = kWgmmaThreads,
          .blocks = sms,
          .rounds = kWgmmaRounds,
          .operand_bytes = 2 * Tile::kBytesA + Tile::kBytesB,
          .result_bytes = std::size_t(kWgmmaThreads) * 128 * 4,
          .flops_per_round = 2.0 * (2 * Tile::kRowsA) * Tile::kRowsB * k,
          .check = check_wgmma};
}

template <DType dtype>
Loop mma_loop_of(int sms) {
  using Tile = MmaTile;
  const double k = double(kStepBytes) / bytes_of(dtype) * Tile::kUnroll;
  return {.kernel = reinterpret_cast<const void*>(mma_loop<dtype>),
          .threads = kMmaThreads,
          .blocks = sms * kMmaBlocksPerSm,
          .rounds = kMmaRounds,
          .operand_bytes = Tile::kBytesA + Tile::kBytesB,
          .result_bytes = std::size_t(32) * Tile::kTilesA * Tile::kTilesB * 4 * 4,
          .flops_per_round = 2.0 * Tile::kTilesA * Tile::kRowsA * Tile::kTilesB * Tile::kRowsB * k * (kMmaThreads / 32),
          .check = check_mma};
}

template <DType dtype>
Loop loop_of(TensorPath path, int sms) {
  return path == TensorPath::wgmma ? wgmma_loop_of<dtype>(sms) : mma_loop_of<dtype>(sms);
}

Loop loop_of(TensorPath path, DType dtype, int sms) {
  switch (dtype) {
    case DType::fp32:
      break;
    case DType::tf32:
      return loop_of<DType::tf32>(path, sms);
    case DType::fp16:
      return loop_of<DType::fp16>(path, sms);
    case DType::bf16:
      return loop_of<DType::bf16>(path, sms);
    case DType::fp8:
      return loop_of<DType::fp8>(path, sms);
    case DType::int8:
      return loop_of<DType::int8>(path, sms);
  }
  throw Unsupported("the matrix units do not multiply fp32");
}

// A build without sm_90a holds an empty kernel, and an empty kernel needs few registers.
void require_wgmma(const Loop& loop) {
  cudaFuncAttributes attributes = {};
  MEASURE_CUDA(cudaFuncGetAttributes(&attributes, loop.kernel));
  if (attributes.numRegs < kFewestWgmmaRegisters)
    throw Unsupported("this build has no code for sm_90a, which wgmma needs (CMAKE_CUDA_ARCHITECTURES)");
}

std::string check_loop(const Loop& loop, DType dtype, const DeviceBuffer& operands, cudaStream_t stream) {
  const DeviceBuffer results(loop.result_bytes);
  MEASURE_CUDA(cudaMemsetAsync(results.data(), 0xff, results.bytes(), stream));
  loop.launch(operands, 1, results.data(), stream);
  Probe probe{std::vector<char>(loop.operand_bytes), std::vector<char>(loop.result_bytes)};
  MEASURE_CUDA(
      cudaMemcpyAsync(probe.operands.data(), operands.data(), loop.operand_bytes, cudaMemcpyDeviceToHost, stream));
  MEASURE_CUDA(
      cudaMemcpyAsync(probe.results.data(), results.data(), loop.result_bytes, cudaMemcpyDeviceToHost, stream));
  MEASURE_CUDA(cudaStreamSynchronize(stream));
  return loop.check(probe, dtype);
}

Bench prepare_loop(TensorPath path, DType dtype, const Gpu& gpu) {
  const Loop loop = loop_of(path, dtype, gpu.facts.sms);
  if (path == TensorPath::wgmma) require_wgmma(loop);
  const auto operands = make_buffer(loop.operand_bytes);
  fill_normal(*operands, dtype, 1, 1, gpu.stream);
  Bench bench;
  bench.launches = {[loop, operands](cudaStream_t stream) { loop.launch(*operands, loop.rounds, nullptr, stream); }};
  bench.check = [loop, dtype, operands, stream = gpu.stream] { return check_loop(loop, dtype, *operands, stream); };
  bench.results = [loop](Seconds time) -> Cells {
    const double flops = loop.flops_per_round * loop.rounds * loop.blocks;
    return {number_cell("tflops", flops / time.count() / 1e12)};
  };
  return bench;
}

// Of the library's guesses the one that is fastest when timed: its first is not always that.
void choose_fastest(GemmSetup& setup, cudaStream_t stream) {
  constexpr int kRepeats = 5;
  Event begin, end;
  double least = INFINITY;
  int best = 0;
  for (int candidate = 0; candidate < setup.matmul.candidates(); ++candidate) {
    setup.matmul.choose(candidate);
    setup.enqueue(0, stream);
    begin.record(stream);
    for (int repeat = 0; repeat < kRepeats; ++repeat) setup.enqueue(0, stream);
    end.record(stream);
    end.wait();
    if (end.seconds_since(begin) < least) {
      least = end.seconds_since(begin);
      best = candidate;
    }
  }
  setup.matmul.choose(best);
}

Bench prepare_product(DType dtype, const Gpu& gpu) {
  const auto setup = std::make_shared<GemmSetup>(large_product(dtype), gpu, kCandidates);
  choose_fastest(*setup, gpu.stream);
  Bench bench;
  bench.launches = launches_of(setup);
  bench.check = [setup, stream = gpu.stream] { return setup->check(stream); };
  bench.results = [setup](Seconds time) -> Cells {
    Cells cells = {number_cell("tflops", setup->shape.flops() / time.count() / 1e12)};
    for (Cell& cell : setup->matmul.description())
      if (cell.column == "algorithm" || cell.column == "tile") cells.push_back(std::move(cell));
    return cells;
  };
  bench.library = matmul_library();
  return bench;
}

}  // namespace

Bench prepare_tensor_peak(const State& state, const Plan&, const Gpu& gpu) {
  const DType dtype = dtype_of(state.text("dtype"));
  const TensorPath path = tensor_path_of(state.text("path"));
  return path == TensorPath::cublaslt ? prepare_product(dtype, gpu) : prepare_loop(path, dtype, gpu);
}

}  // namespace mlosim::measure
