#include "validate/cuda/operation/dtype.hpp"

#include <stdexcept>
#include <string>

namespace mlosim::measure {

const char* to_string(DType dtype) {
  switch (dtype) {
    case DType::fp32:
      return "fp32";
    case DType::tf32:
      return "tf32";
    case DType::fp16:
      return "fp16";
    case DType::bf16:
      return "bf16";
    case DType::fp8:
      return "fp8";
    case DType::int8:
      return "int8";
  }
  return "";
}

DType dtype_of(std::string_view name) {
  for (DType dtype : {DType::fp32, DType::tf32, DType::fp16, DType::bf16, DType::fp8, DType::int8})
    if (name == to_string(dtype)) return dtype;
  throw std::logic_error("no such dtype: " + std::string(name));
}

std::int64_t bytes_of(DType dtype) {
  switch (dtype) {
    case DType::fp32:
    case DType::tf32:
      return 4;
    case DType::fp16:
    case DType::bf16:
      return 2;
    case DType::fp8:
    case DType::int8:
      return 1;
  }
  return 0;
}

std::int64_t output_bytes_of(DType operands) {
  switch (operands) {
    case DType::fp32:
    case DType::tf32:
    case DType::int8:
      return 4;
    case DType::fp16:
    case DType::bf16:
    case DType::fp8:
      return 2;
  }
  return 0;
}

double nominal_flops_per_s(DType dtype, const DeviceFacts& facts) {
  switch (dtype) {
    case DType::fp32:
      return facts.fp32_flops_per_s;
    case DType::tf32:
      return facts.bf16_flops_per_s / 2;
    case DType::fp16:
    case DType::bf16:
      return facts.bf16_flops_per_s;
    case DType::fp8:
    case DType::int8:
      return facts.bf16_flops_per_s * 2;
  }
  return 0;
}

}  // namespace mlosim::measure
