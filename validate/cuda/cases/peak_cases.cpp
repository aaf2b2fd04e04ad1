// The highest rates of the matrix, vector and special-function units, from kernels that touch no memory. Host half;
// tensor_peak.cu and device/vector_peak_bench.cpp are the device halves.

#include "validate/cuda/cases/catalogue.hpp"
#include "validate/cuda/operation/tensor_path.hpp"
#include "validate/cuda/operation/vector_operation.hpp"

namespace mlosim::measure {
namespace {

constexpr Seconds kKernelGuess{1e-3};

// The bare name is for the instruction that reaches the units' full rate; another path says so.
std::string kind_of(TensorPath path, DType dtype, int capability) {
  const bool is_bare = path == native_instruction(capability);
  return "tensor_peak_" + (is_bare ? std::string() : to_string(path) + std::string("_")) + to_string(dtype);
}

Planned plan_tensor(const State& state, const DeviceFacts& facts, const Options&) {
  const DType dtype = dtype_of(state.text("dtype"));
  const TensorPath path = tensor_path_of(state.text("path"));
  if (path == TensorPath::wgmma && facts.capability != 90) return Skip{"wgmma is Hopper's alone (sm_90a)"};
  if (dtype == DType::fp8 && facts.capability < 89) return Skip{"no fp8 before compute capability 8.9"};
  // There the compiler makes it of conversions and fp16 products, of which a loop keeps next to none.
  if (dtype == DType::fp8 && path == TensorPath::mma_sync && facts.capability >= 90 && facts.capability < 120)
    return Skip{"mma.sync of fp8 is no instruction of this GPU"};
  Plan plan{.identity = {{"op", "microbenchmark"},
                         {"dtype", to_string(dtype)},
                         {"kind", kind_of(path, dtype, facts.capability)}},
            .launch_guess = kKernelGuess,
            .memory_bytes = 1 << 20};
  if (path == TensorPath::cublaslt) {
    const Plan gemm = plan_gemm(large_product(dtype), facts);
    plan.launch_guess = gemm.launch_guess;
    plan.memory_bytes = gemm.memory_bytes;
  }
  return plan;
}

Planned plan_vector(const State& state, const DeviceFacts& facts, const Options&) {
  const VectorOperation operation = vector_operation_of(state.text("operation"));
  if (operation == VectorOperation::fma_bf16x2 && facts.capability < 80)
    return Skip{"no bf16 before compute capability 8.0"};
  return Plan{.identity = {{"op", "microbenchmark"},
                           {"dtype", dtype_name(operation)},
                           {"kind", (is_special_function(operation) ? "sfu_peak_" : "vector_peak_") +
                                        std::string(to_string(operation))}},
              .launch_guess = kKernelGuess,
              .memory_bytes = 1 << 20};
}

std::vector<std::string> vector_operation_names() {
  std::vector<std::string> names;
  for (VectorOperation operation : all_vector_operations()) names.emplace_back(to_string(operation));
  return names;
}

}  // namespace

std::vector<Case> peak_cases() {
  return {{.name = "peak.tensor",
           .group = Group::peak,
           .summary =
               "matrix units by dtype: wgmma or mma.sync out of registers and shared memory, cuBLASLt's best product",
           .axes = {{"dtype", {"bf16", "fp16", "fp8", "tf32", "int8"}}, {"path", {"wgmma", "mma_sync", "cublaslt"}}},
           .keys = {"kind"},
           .results = {"tflops", "algorithm", "tile"},
           .plan = plan_tensor,
           .absent = ""},
          {.name = "peak.vector",
           .group = Group::peak,
           .summary = "vector and special-function units: independent chains of one instruction",
           .axes = {{"operation", vector_operation_names()}},
           .keys = {"kind"},
           .results = {"results_per_s", "tflops"},
           .plan = plan_vector,
           .absent = ""}};
}

}  // namespace mlosim::measure
