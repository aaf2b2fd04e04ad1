// Device half of the gemm cases.

#include "validate/cuda/cases/benches.hpp"
#include "validate/cuda/device/gemm_setup.hpp"

namespace mlosim::measure {

Bench prepare_gemm(const State&, const Plan& plan, const Gpu& gpu) {
  const auto setup = std::make_shared<GemmSetup>(gemm_shape_of(plan.identity), gpu);
  Bench bench;
  bench.launches = launches_of(setup);
  bench.check = [setup, stream = gpu.stream] { return setup->check(stream); };
  bench.results = [setup](Seconds time) {
    Cells cells = setup->description();
    cells.push_back(number_cell("tflops", setup->shape.flops() / time.count() / 1e12));
    return cells;
  };
  bench.library = matmul_library();
  return bench;
}

}  // namespace mlosim::measure
