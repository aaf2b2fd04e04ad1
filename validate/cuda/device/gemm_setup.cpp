#include "validate/cuda/device/gemm_setup.hpp"

#include "validate/cuda/cases/rotation.hpp"
#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/gemm_reference.hpp"
#include "validate/cuda/device/random_numbers.hpp"

namespace mlosim::measure {
namespace {

std::size_t size(std::int64_t bytes) { return static_cast<std::size_t>(bytes); }

// About what a layer's weights are; fp8 ones are scaled up into the format's range.
double weight_deviation(DType dtype) { return dtype == DType::fp8 ? 1 : 0.02; }

}  // namespace

GemmSetup::GemmSetup(const GemmShape& product, const Gpu& gpu, int candidates)
    : shape(product),
      matmul(product, gemm_workspace_bytes(gpu.facts), candidates),
      activations(size(product.activation_bytes())),
      output(size(product.output_bytes())) {
  fill_normal(activations, shape.dtype, 1, 1, gpu.stream);
  const std::int64_t copies = copies_past_l2(shape.weight_bytes(), gpu.facts, kMostWeightCopies);
  for (std::int64_t copy = 0; copy < copies; ++copy) {
    weights.push_back(make_buffer(size(shape.weight_bytes())));
    fill_normal(*weights.back(), shape.dtype, weight_deviation(shape.dtype), 2 + static_cast<std::uint64_t>(copy),
                gpu.stream);
  }
  MEASURE_CUDA(cudaStreamSynchronize(gpu.stream));
}

void GemmSetup::enqueue(std::size_t copy, cudaStream_t stream) const {
  matmul.enqueue(activations.data(), weights[copy]->data(), output.data(), stream);
}

std::string GemmSetup::check(cudaStream_t stream) const {
  MEASURE_CUDA(cudaMemsetAsync(output.data(), 0xff, output.bytes(), stream));  // NaN, or -1
  enqueue(0, stream);
  return compare_with_reference(shape,
                                {.activations = activations.data(),
                                 .weights = weights[0]->data(),
                                 .output = output.data(),
                                 .scale = matmul.scale()},
                                stream);
}

Cells GemmSetup::description() const {
  Cells cells = matmul.description();
  cells.push_back(integer_cell("copies", static_cast<std::int64_t>(weights.size())));
  return cells;
}

std::vector<Launch> launches_of(const std::shared_ptr<GemmSetup>& setup) {
  std::vector<Launch> launches;
  for (std::size_t copy = 0; copy < setup->weights.size(); ++copy)
    launches.push_back([setup, copy](cudaStream_t stream) { setup->enqueue(copy, stream); });
  return launches;
}

}  // namespace mlosim::measure
