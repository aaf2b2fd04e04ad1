// A CUDA event that frees itself. Needs the CUDA runtime's header.
#pragma once

#include <cuda_runtime.h>

#include "validate/cuda/device/cuda_check.hpp"

namespace mlosim::measure {

class Event {
 public:
  Event() { MEASURE_CUDA(cudaEventCreate(&event_)); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(cudaStream_t stream) { MEASURE_CUDA(cudaEventRecord(event_, stream)); }
  void wait() const { MEASURE_CUDA(cudaEventSynchronize(event_)); }
  // Both have happened: wait for the later one first.
  double seconds_since(const Event& earlier) const {
    float milliseconds = 0;
    MEASURE_CUDA(cudaEventElapsedTime(&milliseconds, earlier.event_, event_));
    return milliseconds * 1e-3;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace mlosim::measure
