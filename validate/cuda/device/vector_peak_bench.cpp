// Device half of peak.vector: independent chains of one instruction in every thread.

#include "validate/cuda/cases/benches.hpp"
#include "validate/cuda/device/instruction_chains.hpp"

namespace mlosim::measure {

Bench prepare_vector_peak(const State& state, const Plan&, const Gpu& gpu) {
  const VectorOperation operation = vector_operation_of(state.text("operation"));
  const InstructionLoop loop(operation, gpu.facts.sms);
  Bench bench;
  bench.launches = {[loop](cudaStream_t stream) { loop.enqueue(stream); }};
  bench.check = [loop, stream = gpu.stream] { return loop.check(stream); };
  bench.results = [loop, operation](Seconds time) -> Cells {
    const double rate = loop.results() / time.count();
    Cells cells = {number_cell("results_per_s", rate)};
    if (flops_of(operation) > 0) cells.push_back(number_cell("tflops", rate * flops_of(operation) / 1e12));
    return cells;
  };
  return bench;
}

}  // namespace mlosim::measure
