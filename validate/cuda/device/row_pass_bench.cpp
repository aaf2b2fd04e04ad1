// Device half of the elementwise cases: buffers, launches, and a plain reference for a few rows on the host.

#include <cuda_bf16.h>
#include <cuda_fp8.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "validate/cuda/cases/benches.hpp"
#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/random_numbers.hpp"
#include "validate/cuda/device/row_pass_launch.hpp"

namespace mlosim::measure {
namespace {

std::size_t size(std::int64_t bytes) { return static_cast<std::size_t>(bytes); }

bool is_norm(RowPassKind kind) { return kind == RowPassKind::layernorm || kind == RowPassKind::rmsnorm; }

// One set of operands: what a network's kernel before has just written, and so in the L2 where it fits.
class RowPassSetup {
 public:
  RowPassSetup(const RowPass& pass, const Gpu& gpu);

  void enqueue(cudaStream_t stream) const { enqueue_row_pass(pass_, buffers(), stream); }
  std::string check(cudaStream_t stream) const;
  double bytes() const { return static_cast<double>(pass_.input_bytes() + pass_.output_bytes()); }

 private:
  RowPassBuffers buffers() const;
  std::string check_row(std::int64_t row) const;

  RowPass pass_;
  DeviceBuffer weights_, bias_, input_, output_;
};

RowPassSetup::RowPassSetup(const RowPass& pass, const Gpu& gpu)
    : pass_(pass),
      weights_(size(pass.cols * bytes_of(pass.dtype))),
      bias_(weights_.bytes()),
      input_(size(pass.input_bytes())),
      output_(size(pass.output_bytes())) {
  fill_normal(weights_, pass.dtype, 1, 1, gpu.stream);
  fill_normal(bias_, pass.dtype, 1, 2, gpu.stream);
  fill_normal(input_, pass.dtype, 1, 3, gpu.stream);
  MEASURE_CUDA(cudaStreamSynchronize(gpu.stream));
}

RowPassBuffers RowPassSetup::buffers() const {
  const char* input = input_.as<char>();
  const void* second = is_norm(pass_.kind) ? weights_.data() : nullptr;
  if (pass_.kind == RowPassKind::add) second = input + pass_.input_bytes() / 2;
  return {.input = input, .second = second, .bias = bias_.data(), .output = output_.data()};
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

// Results that are smaller have no smaller errors. Softmax sums nothing that could cancel; a LayerNorm's bias cancels
// terms of about one; other results are small where fp8 or an exponential ends.
double exact_below(RowPassKind kind) {
  if (kind == RowPassKind::softmax) return 1e-12;
  return kind == RowPassKind::layernorm ? 1 : 1e-2;
}

std::string RowPassSetup::check_row(std::int64_t row) const {
  const RowPassBuffers at = buffers();
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
  const double floor = exact_below(pass_.kind);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (std::fabs(found[i] - expected[i]) <= error_of(output) * std::max(std::fabs(expected[i]), floor)) continue;
    std::ostringstream text;
    text << "row " << row << ", column " << i << " is " << found[i] << " where double precision gives " << expected[i];
    return text.str();
  }
  return "";
}

std::string RowPassSetup::check(cudaStream_t stream) const {
  MEASURE_CUDA(cudaMemsetAsync(output_.data(), 0xff, output_.bytes(), stream));  // NaN in every format
  enqueue(stream);
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
  bench.launches = {[setup](cudaStream_t stream) { setup->enqueue(stream); }};
  bench.check = [setup, stream = gpu.stream] { return setup->check(stream); };
  bench.results = [setup](Seconds time) -> Cells {
    return {number_cell("gb_per_s", setup->bytes() / time.count() / 1e9)};
  };
  return bench;
}

}  // namespace mlosim::measure
