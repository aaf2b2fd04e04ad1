// Calls into CUDA that name themselves when they fail. Needs the CUDA runtime's header.
#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace mlosim::measure {

class CudaError : public std::runtime_error {
 public:
  CudaError(cudaError_t code, const char* call, const char* file, int line)
      : std::runtime_error(std::string(call) + " failed at " + file + ":" + std::to_string(line) + ": " +
                           cudaGetErrorName(code) + ": " + cudaGetErrorString(code)),
        code_(code) {}
  cudaError_t code() const { return code_; }

 private:
  cudaError_t code_;
};

// A state that only the device can refuse (an unsupported combination, no algorithm): skipped with this reason.
class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void check_cuda(cudaError_t code, const char* call, const char* file, int line) {
  if (code == cudaSuccess) return;
  cudaGetLastError();  // a sticky code would blame the next call
  throw CudaError(code, call, file, line);
}

}  // namespace mlosim::measure

// A macro because only a macro knows the text of the call and its line.
#define MEASURE_CUDA(call) ::mlosim::measure::check_cuda((call), #call, __FILE__, __LINE__)
