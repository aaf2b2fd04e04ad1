// A second stream that branches off another and comes back to it, so that work on both counts between two events and
// can be captured into one graph. Needs the CUDA runtime's header.
#pragma once

#include <cuda_runtime.h>

#include "validate/cuda/device/cuda_check.hpp"

namespace mlosim::measure {

class SideStream {
 public:
  SideStream() {
    MEASURE_CUDA(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
    MEASURE_CUDA(cudaEventCreateWithFlags(&fork_, cudaEventDisableTiming));
    MEASURE_CUDA(cudaEventCreateWithFlags(&join_, cudaEventDisableTiming));
  }
  ~SideStream() {
    cudaEventDestroy(join_);
    cudaEventDestroy(fork_);
    cudaStreamDestroy(stream_);
  }
  SideStream(const SideStream&) = delete;
  SideStream& operator=(const SideStream&) = delete;
  cudaStream_t stream() const { return stream_; }
  void fork_from(cudaStream_t main) const {
    MEASURE_CUDA(cudaEventRecord(fork_, main));
    MEASURE_CUDA(cudaStreamWaitEvent(stream_, fork_, 0));
  }
  void join_to(cudaStream_t main) const {
    MEASURE_CUDA(cudaEventRecord(join_, stream_));
    MEASURE_CUDA(cudaStreamWaitEvent(main, join_, 0));
  }

 private:
  cudaStream_t stream_ = nullptr;
  cudaEvent_t fork_ = nullptr;
  cudaEvent_t join_ = nullptr;
};

}  // namespace mlosim::measure
