#include "validate/cuda/operation/vector_operation.hpp"

#include <stdexcept>
#include <string>

namespace mlosim::measure {
namespace {

struct Description {
  VectorOperation operation;
  const char* name;
  const char* dtype;
  int results, flops;
  bool special;
};

const std::vector<Description>& descriptions() {
  static const std::vector<Description> all = {
      {VectorOperation::fma_fp32, "fma_fp32", "fp32", 1, 2, false},
      {VectorOperation::add_fp32, "add_fp32", "fp32", 1, 1, false},
      {VectorOperation::fma_fp16x2, "fma_fp16x2", "fp16", 2, 2, false},
      {VectorOperation::fma_bf16x2, "fma_bf16x2", "bf16", 2, 2, false},
      {VectorOperation::fma_fp64, "fma_fp64", "fp64", 1, 2, false},
      {VectorOperation::mad_int32, "mad_int32", "int32", 1, 0, false},
      {VectorOperation::ex2, "ex2", "fp32", 1, 0, true},
      {VectorOperation::rcp, "rcp", "fp32", 1, 0, true},
      {VectorOperation::rsqrt, "rsqrt", "fp32", 1, 0, true},
      {VectorOperation::sin, "sin", "fp32", 1, 0, true},
  };
  return all;
}

const Description& description_of(VectorOperation operation) {
  for (const Description& one : descriptions())
    if (one.operation == operation) return one;
  throw std::logic_error("an operation of the vector units is missing from their table");
}

}  // namespace

const std::vector<VectorOperation>& all_vector_operations() {
  static const std::vector<VectorOperation> all = [] {
    std::vector<VectorOperation> operations;
    for (const Description& one : descriptions()) operations.push_back(one.operation);
    return operations;
  }();
  return all;
}

const char* to_string(VectorOperation operation) { return description_of(operation).name; }

VectorOperation vector_operation_of(std::string_view name) {
  for (const Description& one : descriptions())
    if (name == one.name) return one.operation;
  throw std::logic_error("no such operation of the vector units: " + std::string(name));
}

const char* dtype_name(VectorOperation operation) { return description_of(operation).dtype; }
bool is_special_function(VectorOperation operation) { return description_of(operation).special; }
int results_of(VectorOperation operation) { return description_of(operation).results; }
int flops_of(VectorOperation operation) { return description_of(operation).flops; }

}  // namespace mlosim::measure
