// Launches captured in turn into one graph that is ready to be replayed. Needs the CUDA runtime's header.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <vector>

#include "validate/cuda/device/bench.hpp"

namespace mlosim::measure {

class GraphReplay {
 public:
  // `count` launches: the first, the second ... and again from the first. Throws CudaError.
  GraphReplay(const std::vector<Launch>& launches, std::size_t count, cudaStream_t stream);
  ~GraphReplay() { cudaGraphExecDestroy(replay_); }
  GraphReplay(const GraphReplay&) = delete;
  GraphReplay& operator=(const GraphReplay&) = delete;

  void launch(cudaStream_t stream) const;

 private:
  cudaGraphExec_t replay_ = nullptr;
};

}  // namespace mlosim::measure
