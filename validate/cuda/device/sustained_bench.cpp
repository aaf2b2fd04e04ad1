// Device half of the sustained cases.

#include "validate/cuda/cases/benches.hpp"
#include "validate/cuda/device/gemm_setup.hpp"
#include "validate/cuda/device/instruction_chains.hpp"
#include "validate/cuda/device/sustained_loop.hpp"
#include "validate/cuda/operation/sustained_load.hpp"

namespace mlosim::measure {
namespace {

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
  const State state({{"op", "triad"}, {"bytes", std::to_string(kTriadBytes)}});
  Bench stream = prepare_stream(state, {}, gpu);
  Bench bench = sustained(stream.launches, gpu);
  bench.check = stream.check;
  bench.results = stream.results;
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
