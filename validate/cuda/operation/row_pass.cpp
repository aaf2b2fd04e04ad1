#include "validate/cuda/operation/row_pass.hpp"

#include <stdexcept>
#include <string>

namespace mlosim::measure {
namespace {

std::string dtype_cell(const RowPass& pass) {
  const std::string operands = to_string(pass.dtype);
  return pass.kind == RowPassKind::quantize ? operands + "->" + to_string(DType::fp8) : operands;
}

}  // namespace

const char* to_string(RowPassKind kind) {
  switch (kind) {
    case RowPassKind::copy:
      return "copy";
    case RowPassKind::add:
      return "add";
    case RowPassKind::silu_mul:
      return "silu_mul";
    case RowPassKind::quantize:
      return "quantize";
    case RowPassKind::gelu:
      return "gelu";
    case RowPassKind::softmax:
      return "softmax";
    case RowPassKind::layernorm:
      return "layernorm";
    case RowPassKind::rmsnorm:
      return "rmsnorm";
  }
  return "";
}

RowPassKind row_pass_kind_of(std::string_view name) {
  for (RowPassKind kind : {RowPassKind::copy, RowPassKind::add, RowPassKind::silu_mul, RowPassKind::quantize,
                           RowPassKind::gelu, RowPassKind::softmax, RowPassKind::layernorm, RowPassKind::rmsnorm})
    if (name == to_string(kind)) return kind;
  throw std::logic_error("no such pass over rows: " + std::string(name));
}

bool is_elementwise(RowPassKind kind) {
  return kind == RowPassKind::copy || kind == RowPassKind::add || kind == RowPassKind::silu_mul ||
         kind == RowPassKind::quantize;
}

std::int64_t RowPass::inputs() const {
  const bool is_double = kind == RowPassKind::add || kind == RowPassKind::silu_mul;
  return rows * cols * (is_double ? 2 : 1);
}

std::int64_t RowPass::output_bytes() const {
  return rows * cols * bytes_of(kind == RowPassKind::quantize ? DType::fp8 : dtype);
}

Cells identity_of(const RowPass& pass) {
  if (!is_elementwise(pass.kind))
    return {{"op", to_string(pass.kind)},
            {"dtype", dtype_cell(pass)},
            integer_cell("rows", pass.rows),
            integer_cell("cols", pass.cols)};
  return {{"op", "elementwise"},
          {"dtype", dtype_cell(pass)},
          {"kind", to_string(pass.kind)},
          integer_cell("rows", pass.rows),
          integer_cell("cols", pass.cols),
          integer_cell("bytes_in", pass.input_bytes()),
          integer_cell("bytes_out", pass.output_bytes())};
}

Plan plan_row_pass(const RowPass& pass, const DeviceFacts& facts) {
  const std::int64_t moved = pass.input_bytes() + pass.output_bytes();
  return {.identity = identity_of(pass),
          .launch_guess = roofline_guess(static_cast<double>(moved), facts.hbm_bytes_per_s, 0, 0),
          .memory_bytes = moved + 2 * pass.cols * bytes_of(pass.dtype)};
}

}  // namespace mlosim::measure
