#include "validate/cuda/operation/tensor_path.hpp"

#include <stdexcept>
#include <string>

namespace mlosim::measure {

const char* to_string(TensorPath path) {
  switch (path) {
    case TensorPath::wgmma:
      return "wgmma";
    case TensorPath::mma_sync:
      return "mma_sync";
    case TensorPath::cublaslt:
      return "cublaslt";
  }
  return "";
}

TensorPath tensor_path_of(std::string_view name) {
  for (TensorPath path : {TensorPath::wgmma, TensorPath::mma_sync, TensorPath::cublaslt})
    if (name == to_string(path)) return path;
  throw std::logic_error("no such path to the matrix units: " + std::string(name));
}

std::optional<TensorPath> native_instruction(int capability) {
  if (capability == 90) return TensorPath::wgmma;
  if (capability >= 100 && capability < 120) return std::nullopt;
  return TensorPath::mma_sync;
}

GemmShape large_product(DType dtype) { return {.dtype = dtype, .batch = 1, .m = 8192, .n = 8192, .k = 8192}; }

}  // namespace mlosim::measure
