#include "validate/cuda/operation/gemm_shape.hpp"

#include <string>

#include "validate/cuda/cases/rotation.hpp"

namespace mlosim::measure {
namespace {

std::int64_t number_in(const Cells& cells, std::string_view column) { return parse_count(value_of(cells, column)); }

}  // namespace

double GemmShape::flops() const {
  return 2 * static_cast<double>(batch) * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

Cells identity_of(const GemmShape& shape) {
  return {{"op", "gemm"},
          {"dtype", to_string(shape.dtype)},
          integer_cell("batch", shape.batch),
          integer_cell("m", shape.m),
          integer_cell("n", shape.n),
          integer_cell("k", shape.k)};
}

GemmShape gemm_shape_of(const Cells& identity) {
  return {.dtype = dtype_of(value_of(identity, "dtype")),
          .batch = number_in(identity, "batch"),
          .m = number_in(identity, "m"),
          .n = number_in(identity, "n"),
          .k = number_in(identity, "k")};
}

std::int64_t gemm_workspace_bytes(const DeviceFacts& facts) { return (facts.capability >= 90 ? 32LL : 4LL) << 20; }

Plan plan_gemm(const GemmShape& shape, const DeviceFacts& facts) {
  const std::int64_t copies = copies_past_l2(shape.weight_bytes(), facts, kMostWeightCopies);
  const std::int64_t moved = shape.activation_bytes() + shape.weight_bytes() + shape.output_bytes();
  return {.identity = identity_of(shape),
          .launch_guess = roofline_guess(static_cast<double>(moved), facts.hbm_bytes_per_s, shape.flops(),
                                         nominal_flops_per_s(shape.dtype, facts)),
          .memory_bytes = moved + (copies - 1) * shape.weight_bytes() + gemm_workspace_bytes(facts)};
}

std::vector<std::string> gemm_keys() { return {"batch", "m", "n", "k"}; }

std::vector<std::string> gemm_results() {
  return {"copies",    "algorithm", "tile",    "stages",          "split_k",
          "reduction", "swizzle",   "cluster", "workspace_bytes", "tflops"};
}

}  // namespace mlosim::measure
