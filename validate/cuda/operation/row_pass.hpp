// Passes over a matrix of rows x cols: elementwise ones, norms and softmax. Host side only: no CUDA.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "validate/cuda/measure/case.hpp"
#include "validate/cuda/operation/dtype.hpp"

namespace mlosim::measure {

enum class RowPassKind { copy, add, silu_mul, quantize, gelu, softmax, layernorm, rmsnorm };

const char* to_string(RowPassKind kind);
RowPassKind row_pass_kind_of(std::string_view name);
// Rows of the contract's op `elementwise`, which name their kind in a column; the others are ops of their own.
bool is_elementwise(RowPassKind kind);

struct RowPass {
  RowPassKind kind = RowPassKind::copy;
  DType dtype = DType::bf16;
  std::int64_t rows = 1, cols = 1;

  std::int64_t inputs() const;  // elements of `dtype`: add reads two matrices, silu_mul one of twice the columns
  std::int64_t input_bytes() const { return inputs() * bytes_of(dtype); }
  std::int64_t output_bytes() const;
};

Cells identity_of(const RowPass& pass);
Plan plan_row_pass(const RowPass& pass, const DeviceFacts& facts);

}  // namespace mlosim::measure
