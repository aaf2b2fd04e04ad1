// The program of one chunk of a training step: what one rank runs of one micro-batch through the layers of a virtual
// stage, forwards or backwards, with the collectives of tensor, context and expert parallelism in line and those of
// data parallelism beside it. All ranks of a stage are alike. Pipeline messages and the optimiser are not in it.
#pragma once

#include <cstdint>
#include <vector>

#include "models/graph/training_graph.hpp"
#include "models/plan/training_parallelism.hpp"
#include "sim/machine/program.hpp"
#include "sim/spec/training_runtime.hpp"

namespace mlosim::plan {

// Of `train.overlap`, laid over what the runtime does.
struct DataParallelWork {
  bool gathers_parameters = false;  // that ZeRO has shared out, layer by layer ahead of their use
  bool reduces_gradients = false;   // of each layer once its own are complete
};

struct ChunkShape {
  std::vector<std::uint32_t> blocks{};  // of the graph, in the order of the forward pass; equal layers repeat theirs
  bool backward = false;
  bool weight_gradients = true;  // of a backward pass: whether they are in it, …
  bool input_gradients = true;   // … and whether the rest is
  DataParallelWork data_parallel{};
  std::vector<std::uint32_t> beside{};  // not empty: blocks of another chunk, whose collectives of data parallelism run
                                        // beside all of these layers, which have none of their own
};

// Streams: compute, model parallel, data parallel. `node_chips`: that the fabric joins; a token on its way to experts
// leaves it once for each of the others.
machine::Program plan_training_chunk(const graph::TrainingGraph& graph, const ChunkShape& chunk,
                                     const TrainingParallelism& p, const graph::Precision& precision,
                                     const spec::TrainingRuntime& runtime, std::int64_t node_chips);

}  // namespace mlosim::plan
