// Operands of one matrix product and the product itself, ready to enqueue; the gemm, peak and sustained benches share
// it. Needs the CUDA runtime's header.
#pragma once

#include <memory>
#include <vector>

#include "validate/cuda/device/bench.hpp"
#include "validate/cuda/device/matmul.hpp"

namespace mlosim::measure {

// Random operands; as many copies of the weights as exceed the L2 (cases/rotation.hpp), while activations and
// output stay where they are, as between the layers of a model.
struct GemmSetup {
  GemmSetup(const GemmShape& shape, const Gpu& gpu, int candidates = 1);

  void enqueue(std::size_t copy, cudaStream_t stream) const;
  // Poisons the output, enqueues the product once more and compares: empty, or what is wrong.
  std::string check(cudaStream_t stream) const;
  // copies and the library's description of the algorithm.
  Cells description() const;

  GemmShape shape;
  Matmul matmul;
  DeviceBuffer activations, output;
  std::vector<std::shared_ptr<DeviceBuffer>> weights;
};

// One launch a copy; keeps the set-up alive.
std::vector<Launch> launches_of(const std::shared_ptr<GemmSetup>& setup);

}  // namespace mlosim::measure
