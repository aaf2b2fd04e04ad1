#include "validate/cuda/device/instruction_chains.hpp"

#include <cmath>
#include <sstream>
#include <vector>

#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/device_buffer.hpp"
#include "validate/cuda/kernels/instruction_loop.cuh"

namespace mlosim::measure {
namespace {

constexpr int kBlocksPerSm = 2;
constexpr int kRounds = 500;  // half a millisecond where a warp issues each clock

using Kernel = void (*)(int, float, float, double*);

Kernel kernel_of(VectorOperation operation) {
  switch (operation) {
    case VectorOperation::fma_fp32:
      return instruction_loop<VectorOperation::fma_fp32>;
    case VectorOperation::add_fp32:
      return instruction_loop<VectorOperation::add_fp32>;
    case VectorOperation::fma_fp16x2:
      return instruction_loop<VectorOperation::fma_fp16x2>;
    case VectorOperation::fma_bf16x2:
      return instruction_loop<VectorOperation::fma_bf16x2>;
    case VectorOperation::fma_fp64:
      return instruction_loop<VectorOperation::fma_fp64>;
    case VectorOperation::mad_int32:
      return instruction_loop<VectorOperation::mad_int32>;
    case VectorOperation::ex2:
      return instruction_loop<VectorOperation::ex2>;
    case VectorOperation::rcp:
      return instruction_loop<VectorOperation::rcp>;
    case VectorOperation::rsqrt:
      return instruction_loop<VectorOperation::rsqrt>;
    case VectorOperation::sin:
      return instruction_loop<VectorOperation::sin>;
  }
  return nullptr;
}

void launch(VectorOperation operation, int blocks, int rounds, double* results, cudaStream_t stream) {
  kernel_of(operation)<<<blocks, kInstructionThreads, 0, stream>>>(rounds, kFactor, kAddend, results);
  MEASURE_CUDA(cudaGetLastError());
}

// The same step in double precision, but for whole numbers, which wrap.
double step_of(VectorOperation operation, double x) {
  switch (operation) {
    case VectorOperation::fma_fp32:
    case VectorOperation::fma_fp64:
    case VectorOperation::fma_fp16x2:
    case VectorOperation::fma_bf16x2:
      return x * kFactor + kAddend;
    case VectorOperation::add_fp32:
      return kAddend - x;
    case VectorOperation::mad_int32:
      return static_cast<std::uint32_t>(x) * kWholeFactor + kWholeAddend;
    case VectorOperation::ex2:
      return std::exp2(-x);
    case VectorOperation::rcp:
      return 1 / (x + kAddend);
    case VectorOperation::rsqrt:
      return 1 / std::sqrt(x);
    case VectorOperation::sin:
      return std::sin(x);
  }
  return NAN;
}

double start_in(VectorOperation operation, int thread, int chain) {
  const float start = start_of(thread, chain);
  return operation == VectorOperation::mad_int32 ? static_cast<std::uint32_t>(start * 1024) : start;
}

// Absolute, of one round's chain: no step makes an error larger, but each rounds anew.
double error_of(VectorOperation operation) {
  switch (operation) {
    case VectorOperation::mad_int32:
      return 0;
    case VectorOperation::fma_fp64:
      return 1e-12;
    case VectorOperation::fma_fp16x2:
      return 0.02;
    case VectorOperation::fma_bf16x2:
      return 0.15;
    default:
      return 1e-4;
  }
}

}  // namespace

void InstructionLoop::enqueue(cudaStream_t stream) const {
  launch(operation_, sms_ * kBlocksPerSm, kRounds, nullptr, stream);
}

double InstructionLoop::results() const {
  const double threads = static_cast<double>(sms_) * kBlocksPerSm * kInstructionThreads;
  return threads * kRounds * kUnroll * kChains * results_of(operation_);
}

std::string InstructionLoop::check(cudaStream_t stream) const {
  std::vector<double> found(static_cast<std::size_t>(kInstructionThreads) * kChains);
  const DeviceBuffer results(found.size() * sizeof(double));
  MEASURE_CUDA(cudaMemsetAsync(results.data(), 0xff, results.bytes(), stream));
  launch(operation_, 1, 1, results.as<double>(), stream);
  MEASURE_CUDA(cudaMemcpyAsync(found.data(), results.data(), results.bytes(), cudaMemcpyDeviceToHost, stream));
  MEASURE_CUDA(cudaStreamSynchronize(stream));
  for (int thread = 0; thread < kInstructionThreads; ++thread)
    for (int chain = 0; chain < kChains; ++chain) {
      double expected = start_in(operation_, thread, chain);
      for (int repeat = 0; repeat < kUnroll; ++repeat) expected = step_of(operation_, expected);
      const double value = found[static_cast<std::size_t>(thread) * kChains + chain];
      if (std::fabs(value - expected) <= error_of(operation_)) continue;
      std::ostringstream text;
      text << "a chain has come to " << value << " where the host's is at " << expected;
      return text.str();
    }
  return "";
}

}  // namespace mlosim::measure
