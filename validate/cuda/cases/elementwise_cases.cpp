// Elementwise passes, norms and softmax in plain, vectorised kernels of our own. Host half; device/row_pass_bench.cpp
// is the device half.

#include "validate/cuda/cases/catalogue.hpp"
#include "validate/cuda/operation/row_pass.hpp"

namespace mlosim::measure {
namespace {

// Hidden and feed-forward widths, lengths of attention rows, and a vocabulary.
const std::vector<std::int64_t> kCols = {128,  512,   1024,  2048,  4096,  5120,  7168,
                                         8192, 14336, 16384, 28672, 32768, 131072};

Planned plan_pass(const State& state, const DeviceFacts& facts, const Options&) {
  const RowPass pass{.kind = row_pass_kind_of(state.text("kind")),
                     .dtype = dtype_of(state.text("dtype")),
                     .rows = state.integer("rows"),
                     .cols = state.integer("cols")};
  if (pass.kind == RowPassKind::quantize && facts.capability < 89) return Skip{"no fp8 before compute capability 8.9"};
  return plan_row_pass(pass, facts);
}

std::vector<Axis> pass_axes(std::vector<std::string> kinds) {
  return {{"kind", std::move(kinds)},
          {"dtype", {"bf16", "fp32"}},
          integer_axis("rows", geometric(1, 65536, 4)),
          integer_axis("cols", kCols)};
}

}  // namespace

std::vector<Case> elementwise_cases() {
  return {{.name = "elementwise.pass",
           .group = Group::elementwise,
           .summary =
               "copy, add, SiLU*mul and quantisation to fp8 with a given scale; operands stay in the L2 where they fit",
           .axes = pass_axes({"add", "silu_mul", "quantize", "copy"}),
           .keys = {"kind", "rows", "cols", "bytes_in", "bytes_out"},
           .results = {"gb_per_s"},
           .plan = plan_pass,
           .absent = ""},
          {.name = "elementwise.row",
           .group = Group::elementwise,
           .summary = "GELU, softmax, LayerNorm and RMSNorm; operands stay in the L2 where they fit",
           .axes = pass_axes({"rmsnorm", "layernorm", "softmax", "gelu"}),
           .keys = {"rows", "cols"},
           .results = {"gb_per_s"},
           .plan = plan_pass,
           .absent = ""}};
}

}  // namespace mlosim::measure
