#include "sim/work/dtype.hpp"

#include "sim/units/check.hpp"

namespace mlosim::work {

std::string_view name_of(DType dtype) {
  for (const auto& [name, value] : kDTypeNames) {
    if (value == dtype) return name;
  }
  MLOSIM_CHECK(false);
}

Bytes bytes_per_element(DType dtype) {
  switch (dtype) {
    case DType::fp64:
      return Bytes(8);
    case DType::fp32:
    case DType::tf32:
      return Bytes(4);
    case DType::bf16:
    case DType::fp16:
      return Bytes(2);
    case DType::fp8:
    case DType::int8:
      return Bytes(1);
    case DType::fp8_block:
      return Bytes(1 + 4.0 / 128);
    case DType::mxfp8:
      return Bytes(1 + 1.0 / 32);
    case DType::nvfp4:
      return Bytes(0.5 + 1.0 / 16);
    case DType::mxfp4:
      return Bytes(0.5 + 1.0 / 32);
    case DType::int4:
      return Bytes(0.5 + 2.0 / 128);
  }
  MLOSIM_CHECK(false);
}

DType arithmetic_of(DType dtype) {
  switch (dtype) {
    case DType::fp8_block:
    case DType::mxfp8:
      return DType::fp8;
    case DType::int4:
      return DType::bf16;  // weights only: widened before the multiplication
    default:
      return dtype;
  }
}

bool is_quantised(DType dtype) {
  switch (dtype) {
    case DType::fp8:
    case DType::fp8_block:
    case DType::mxfp8:
    case DType::int8:
    case DType::nvfp4:
    case DType::mxfp4:
      return true;
    default:
      return false;
  }
}

}  // namespace mlosim::work
