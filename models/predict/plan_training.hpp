// What follows from a training workload, its software stack and its chip before anything is priced: the graph, the
// programs of a rank, what its chips must hold. Used by the played and the closed form of a step alike.
#pragma once

#include <optional>
#include <vector>

#include "models/graph/training_graph.hpp"
#include "models/plan/memory.hpp"
#include "models/plan/step_end.hpp"
#include "models/plan/training_chunk.hpp"
#include "models/plan/training_memory.hpp"
#include "models/predict/training.hpp"
#include "sim/spec/hardware.hpp"

namespace mlosim::predict {

// A network and the machine that it is trained on; all must outlive what is made of them.
struct TrainingSubject {
  const graph::ModelSpec& model;
  const graph::Precision& precision;
  const spec::Hardware& hardware;             // whose runtime has a `training:` block
  std::optional<work::DType> gradients = {};  // format in which they are summed, where the workload says so itself
};

// The runtime's `training:` block with `train.overlap` laid over it.
spec::TrainingRuntime resolve_training_runtime(const TrainingSubject& subject, const Training& training);

// What the host takes to launch kernels of a training step.
spec::LaunchSpec training_launch(const spec::ChipSpec& chip, const spec::TrainingRuntime& runtime);

graph::TrainingGraph training_graph(const TrainingSubject& subject, const Training& training,
                                    const spec::TrainingRuntime& runtime);

machine::Program chunk_program(const TrainingSubject& subject, const graph::TrainingGraph& graph,
                               const plan::ChunkShape& chunk, const Training& training,
                               const spec::TrainingRuntime& runtime);

// Whether the schedule runs the gradients of inputs and of weights apart.
bool parts_gradients(const plan::TrainingParallelism& p);

// `own`: of all blocks of the first rank.
machine::Program step_end_program(const TrainingSubject& subject, const plan::Parameters& own, const Training& training,
                                  const spec::TrainingRuntime& runtime);

// To the next stage, and alike to the one before: a message, and what its receivers do with it. Requires pp > 1.
std::vector<work::Collective> stage_messages(const TrainingSubject& subject, const Training& training);

// What a pass waits for the host's memory, where it keeps less than it offloads: the transfer beside it takes longer.
Seconds offload_wait(Bytes offloaded, Seconds pass, const spec::ChipSpec& chip);

// Of one micro-batch and replica, whole; recomputation counts for the hardware alone.
struct TrainingFlops {
  Flops model, hardware;
};
TrainingFlops count_flops(const graph::TrainingGraph& graph);
// Micro-batches of a step, over all replicas, each of its cp parts counted.
double micro_batches_of_step(const Training& training);

// What does not change from stage to stage, and what the stack may use of a chip.
plan::StageSetting stage_setting(const TrainingSubject& subject, const Training& training,
                                 const spec::TrainingRuntime& runtime);
Bytes training_capacity(const spec::ChipSpec& chip, const spec::TrainingRuntime& runtime);

// Of the stage that needs most.
plan::MemoryPlan plan_memory(const TrainingSubject& subject, const graph::TrainingGraph& graph,
                             const Training& training, const spec::TrainingRuntime& runtime);
// Where that does not fit: the nearest layouts of as many chips that do, with what they need.
std::vector<plan::FittingLayout> fitting_layouts(const TrainingSubject& subject, const Training& training);

}  // namespace mlosim::predict
