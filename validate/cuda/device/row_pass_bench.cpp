// Device half of the elementwise cases: buffers, launches, and a plain reference for a few rows on the host.

#include <cuda_bf16.h>
#include <cuda_fp8.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "validate/cuda/cases/benches.hpp"
#include "validate/cuda/cases/rotation.hpp"
#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/random_numbers.hpp"
#include "validate/cuda/device/row_pass_launch.hpp"

namespace mlosim::measure {
namespace {

std::size_t size(std::int64_t bytes) { return static_cast<std::size_t>(bytes); }

bool is_norm(RowPassKind kind) { return kind == RowPassKind::layernorm || kind == RowPassKind::rmsnorm; }

// Inputs and output of each copy lie in buffers of their own; a norm's weights are few and shared.
class RowPassSetup {
 public:
  RowPassSetup(const RowPass& pass, const Gpu& gpu);

  std::size_t copies() const { return outputs_.size(); }
  void enqueue(std::size_t copy, cudaStream_t stream) const { enqueue_row_pass(pass_, buffers(copy), stream); }
  std::string check(cudaStream_t stream) const;
  double bytes() const { return static_cast<double>(pass_.input_bytes() + pass_.output_bytes()); }

 private:
  RowPassBuffers buffers(std::size_t copy) const;
  std::string check_row(std::int64_t row) const;

  RowPass pass_;
  DeviceBuffer weights_, bias_;
  std::vector<std::shared_ptr<DeviceBuffer>> inputs_, outputs_;
};

RowPassSetup::RowPassSetup(const RowPass& pass, const Gpu& gpu)
    : pass_(pass), weights_(size(pass.cols * bytes_of(pass.dtype))), bias_(weights_.bytes()) {
  fill_normal(weights_, pass.dtype, 1, 1, gpu.stream);
  fill_normal(bias_, pass.dtype, 1, 2, gpu.stream);
  const std::int64_t copies = copies_past_l2(pass.input_bytes() + pass.output_bytes(), gpu.facts, kMostPassCopies);
  for (std::int64_t copy = 0; copy < copies; ++copy) {
    inputs_.push_back(make_buffer(size(pass.input_bytes())));
    fill_normal(*inputs_.back(), pass.dtype, 1, 3 + static_cast<std::uint64_t>(copy), gpu.stream);
    outputs_.push_back(make_buffer(size(pass.output_bytes())));
  }
  MEASURE_CUDA(cudaStreamSynchronize(gpu.stream));
}

RowPassBuffers RowPassSetup::buffers(std::size_t copy) const {
  const char* input = inputs_[copy]->as<char>();
  const void* second = is_norm(pass_.kind) ? weights_.data() : nullptr;
  if (pass_.kind == RowPassKind::add) second = input + pass_.input_bytes() / 2;
  return {.input = input, .second = second, .bias = bias_.data(), .output = outputs_[copy]->data()};
}

template <typename T>
std::vector<double> download(const void* from, std::int64_t elements) {
  std::vector<T> raw(size(elements));
  MEASURE_CUDA(cudaMemcpy(raw.data(), from, raw.size() * sizeof(T), cudaMemcpyDeviceToHost));
  std::vector<double> numbers;
  for (const T& one : raw) numbers.push_back(static_cast<double>(static_cast<float>(one)));
  return numbers;
}

std::vector<double> download(const void* base, DType dtype, std::int64_t first, std::int64_t elements) {
  const char* from = static_cast<const char*>(base) + first * bytes_of(dtype);
  if (dtype == DType::fp8) return download<__nv_fp8_e4m3>(from, elements);
  return dtype == DType::bf16 ? download<__nv_bfloat16>(from, elements) : download<float>(from, elements);
}

struct RowOperands {
  std::vector<double> x, second, bias;
};

std::vector<double> reference(RowPassKind kind, const RowOperands& row) {
  const std::vector<double>& x = row.x;
  std::vector<double> result = x;
  const double count = static_cast<double>(x.size());
  double offset = 0, scale = 1, sum = 0;
  if (kind == RowPassKind::softmax) {
    offset = *std::max_element(x.begin(), x.end());
    for (double value : x) sum += std::exp(value - offset);
    scale = 1 / sum;
  }
  if (kind == RowPassKind::layernorm) {
    for (double value : x) sum += value;
    offset = sum / count;
  }
  if (is_norm(kind)) {
    double squares = 0;
    for (double value : x) squares += (value - offset) * (value - offset);
    scale = 1 / std::sqrt(squares / count + kNormEpsilon);
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double second = i < row.second.size() ? row.second[i] : 0;
    switch (kind) {
      case RowPassKind::copy:
        break;
      case RowPassKind::add:
        result[i] = x[i] + second;
        break;
      case RowPassKind::silu_mul:
        result[i] = x[i] / (1 + std::exp(-x[i])) * second;
        break;
      case RowPassKind::quantize:
        result[i] = std::clamp(x[i] * kQuantizeScale, -448.0, 448.0);
        break;
      case RowPassKind::gelu:
        result[i] = x[i] / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x[i] + 0.044715 * x[i] * x[i] * x[i])));
        break;
      case RowPassKind::softmax:
        result[i] = std::exp(x[i] - offset) * scale;
        break;
      case RowPassKind::layernorm:
        result[i] = (x[i] - offset) * scale * second + row.bias[i];
        break;
      case RowPassKind::rmsnorm:
        result[i] = x[i] * scale * second;
        break;
    }
  }
  return result;
}

// Relative, of the format that the result is rounded to; the fast exponential of fp32 costs a few more bits.
double error_of(DType output) {
  if (output == DType::fp8) return 0x1p-3;
  return output == DType::bf16 ? 0x1p-7 : 1e-5;
}

std::string RowPassSetup::check_row(std::int64_t row) const {
  const RowPassBuffers at = buffers(0);
  const DType output = pass_.kind == RowPassKind::quantize ? DType::fp8 : pass_.dtype;
  const std::int64_t cols = pass_.cols, first = row * cols;
  RowOperands operands;
  if (pass_.kind == RowPassKind::silu_mul) {
    operands.x = download(at.input, pass_.dtype, 2 * first, cols);
    operands.second = download(at.input, pass_.dtype, 2 * first + cols, cols);
  } else {
    operands.x = download(at.input, pass_.dtype, first, cols);
    if (pass_.kind == RowPassKind::add) operands.second = download(at.second, pass_.dtype, first, cols);
    if (is_norm(pass_.kind)) operands.second = download(at.second, pass_.dtype, 0, cols);
    operands.bias = download(at.bias, pass_.dtype, 0, cols);
  }
  const std::vector<double> found = download(at.output, output, first, cols);
  const std::vector<double> expected = reference(pass_.kind, operands);
  for (std::size_t i = 0; i < found.size(); ++i) {
    // Below a hundredth a sum of larger terms has cancelled; softmax has no such sums.
    const double floor = pass_.kind == RowPassKind::softmax ? 1e-12 : 1e-2;
    if (std::fabs(found[i] - expected[i]) <= error_of(output) * std::max(std::fabs(expected[i]), floor)) continue;
    std::ostringstream text;
    text << "row " << row << ", column " << i << " is " << found[i] << " where double precision gives " << expected[i];
    return text.str();
  }
  return "";
}

std::string RowPassSetup::check(cudaStream_t stream) const {
  MEASURE_CUDA(cudaMemsetAsync(outputs_[0]->data(), 0xff, outputs_[0]->bytes(), stream));  // NaN in every format
  enqueue(0, stream);
  MEASURE_CUDA(cudaStreamSynchronize(stream));
  for (const std::int64_t row : {std::int64_t{0}, pass_.rows / 2, pass_.rows - 1}) {
    std::string wrong = check_row(row);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace

Bench prepare_row_pass(const State& state, const Plan&, const Gpu& gpu) {
  const RowPass pass{.kind = row_pass_kind_of(state.text("kind")),
                     .dtype = dtype_of(state.text("dtype")),
                     .rows = state.integer("rows"),
                     .cols = state.integer("cols")};
  const auto setup = std::make_shared<RowPassSetup>(pass, gpu);
  Bench bench;
  for (std::size_t copy = 0; copy < setup->copies(); ++copy)
    bench.launches.push_back([setup, copy](cudaStream_t stream) { setup->enqueue(copy, stream); });
  bench.check = [setup, stream = gpu.stream] { return setup->check(stream); };
  bench.results = [setup](Seconds time) -> Cells {
    return {integer_cell("copies", static_cast<std::int64_t>(setup->copies())),
            number_cell("gbps", setup->bytes() / time.count() / 1e9)};
  };
  return bench;
}

}  // namespace mlosim::measure
