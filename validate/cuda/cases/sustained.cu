// Device half of the sustained cases.

#include <cmath>

#include "validate/cuda/cases/benches.hpp"
#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/gemm_setup.hpp"
#include "validate/cuda/device/instruction_chains.hpp"
#include "validate/cuda/device/random_numbers.hpp"
#include "validate/cuda/device/sustained_loop.hpp"
#include "validate/cuda/operation/sustained_load.hpp"

namespace mlosim::measure {
namespace {

constexpr int kTriadThreads = 256;
constexpr float kTriadFactor = 0.5f;

// a = b + s * c, 16 bytes an access; the arrays are a whole number of blocks.
__global__ void __launch_bounds__(kTriadThreads) sustained_triad(float4* a, const float4* b, const float4* c) {
  const std::size_t i = std::size_t(blockIdx.x) * kTriadThreads + threadIdx.x;
  const float4 x = b[i], y = c[i];
  a[i] = {x.x + kTriadFactor * y.x, x.y + kTriadFactor * y.y, x.z + kTriadFactor * y.z, x.w + kTriadFactor * y.w};
}

struct Triad {
  DeviceBuffer a{kTriadBytes}, b{kTriadBytes}, c{kTriadBytes};

  void enqueue(cudaStream_t stream) const {
    const auto blocks = static_cast<unsigned>(kTriadBytes / sizeof(float4) / kTriadThreads);
    sustained_triad<<<blocks, kTriadThreads, 0, stream>>>(a.as<float4>(), b.as<float4>(), c.as<float4>());
    MEASURE_CUDA(cudaGetLastError());
  }
  // The last number of each array: the far end has been written, and rightly.
  std::string check() const {
    const std::size_t last = kTriadBytes / sizeof(float) - 1;
    const auto last_of = [last](const DeviceBuffer& array) {
      float number = 0;
      MEASURE_CUDA(cudaMemcpy(&number, array.as<float>() + last, sizeof number, cudaMemcpyDeviceToHost));
      return number;
    };
    const float found = last_of(a), expected = last_of(b) + kTriadFactor * last_of(c);
    if (std::fabs(found - expected) <= 1e-5f) return "";
    return "the last number is " + std::to_string(found) + " instead of " + std::to_string(expected);
  }
};

Bench sustained(std::vector<Launch> launches, const Gpu& gpu) {
  Bench bench;
  bench.launches = std::move(launches);
  bench.timing = Timing::self;
  bench.measure = [launches = bench.launches, &gpu](const Criterion&) {
    return run_sustained(launches, gpu.options.sustained, gpu);
  };
  return bench;
}

Bench prepare_triad(const Gpu& gpu) {
  const auto triad = std::make_shared<Triad>();
  fill_normal(triad->b, DType::fp32, 1, 1, gpu.stream);
  fill_normal(triad->c, DType::fp32, 1, 2, gpu.stream);
  Bench bench = sustained({[triad](cudaStream_t stream) { triad->enqueue(stream); }}, gpu);
  bench.check = [triad] { return triad->check(); };
  bench.results = [](Seconds time) -> Cells {
    return {number_cell("gb_per_s", 3.0 * kTriadBytes / time.count() / 1e9)};
  };
  return bench;
}

Bench prepare_fma(const Gpu& gpu) {
  const InstructionLoop loop(VectorOperation::fma_fp32, gpu.facts.sms);
  Bench bench = sustained({[loop](cudaStream_t stream) { loop.enqueue(stream); }}, gpu);
  bench.check = [loop, stream = gpu.stream] { return loop.check(stream); };
  bench.results = [loop](Seconds time) -> Cells {
    return {number_cell("tflops", loop.results() * flops_of(VectorOperation::fma_fp32) / time.count() / 1e12)};
  };
  return bench;
}

}  // namespace

Bench prepare_sustained_gemm(const State&, const Plan& plan, const Gpu& gpu) {
  const auto setup = std::make_shared<GemmSetup>(gemm_shape_of(plan.identity), gpu);
  Bench bench = sustained(launches_of(setup), gpu);
  bench.check = [setup, stream = gpu.stream] { return setup->check(stream); };
  bench.results = [setup](Seconds time) {
    Cells cells = setup->description();
    cells.push_back(number_cell("tflops", setup->shape.flops() / time.count() / 1e12));
    return cells;
  };
  bench.library = matmul_library() + " sustained";
  return bench;
}

Bench prepare_sustained_load(const State& state, const Plan&, const Gpu& gpu) {
  switch (sustained_load_of(state.text("load"))) {
    case SustainedLoad::idle:
      break;
    case SustainedLoad::triad:
      return prepare_triad(gpu);
    case SustainedLoad::fma:
      return prepare_fma(gpu);
  }
  return sustained({}, gpu);
}

}  // namespace mlosim::measure
