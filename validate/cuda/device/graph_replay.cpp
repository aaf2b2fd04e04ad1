#include "validate/cuda/device/graph_replay.hpp"

#include "validate/cuda/device/cuda_check.hpp"

namespace mlosim::measure {

GraphReplay::GraphReplay(const std::vector<Launch>& launches, std::size_t count, cudaStream_t stream) {
  cudaGraph_t graph = nullptr;
  MEASURE_CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  try {
    for (std::size_t i = 0; i < count; ++i) launches[i % launches.size()](stream);
  } catch (...) {
    // The stream is of no use to what follows until its capture has ended, however that goes.
    cudaStreamEndCapture(stream, &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
    cudaGetLastError();
    throw;
  }
  MEASURE_CUDA(cudaStreamEndCapture(stream, &graph));
  const cudaError_t code = cudaGraphInstantiate(&replay_, graph, 0);
  cudaGraphDestroy(graph);
  check_cuda(code, "cudaGraphInstantiate(&replay_, graph, 0)", __FILE__, __LINE__);
}

void GraphReplay::launch(cudaStream_t stream) const { MEASURE_CUDA(cudaGraphLaunch(replay_, stream)); }

}  // namespace mlosim::measure
