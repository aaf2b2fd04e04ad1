// The loop of one vector instruction, ready to launch; the peak and sustained benches share it. Needs the CUDA
// runtime's header.
#pragma once

#include <cuda_runtime.h>

#include <string>

#include "validate/cuda/operation/vector_operation.hpp"

namespace mlosim::measure {

class InstructionLoop {
 public:
  InstructionLoop(VectorOperation operation, int sms) : operation_(operation), sms_(sms) {}

  void enqueue(cudaStream_t stream) const;
  // Numbers that one launch makes, on all lanes.
  double results() const;
  // Runs one round and compares with the host: empty, or what is wrong.
  std::string check(cudaStream_t stream) const;

 private:
  VectorOperation operation_;
  int sms_;
};

}  // namespace mlosim::measure
