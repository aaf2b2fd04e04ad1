// What follows from a training workload and its software stack before anything is played: the options of its graph, and
// what its chips must hold.
#pragma once

#include "models/graph/training_graph.hpp"
#include "models/plan/memory.hpp"
#include "models/predict/training.hpp"
#include "sim/spec/hardware.hpp"

namespace mlosim::predict {

graph::TrainingOptions graph_options(const Training& training, const spec::RuntimeSpec& runtime,
                                     const spec::TrainingRuntime& stack);

// Of the stage that needs most; where that does not fit, with the nearest layouts of as many chips that do.
plan::MemoryPlan plan_memory(const graph::ModelSpec& model, const graph::Precision& precision, const Training& training,
                             const spec::Hardware& hardware, const spec::TrainingRuntime& stack);

// Whether it fits at all: the same without looking for others.
bool fits_memory(const graph::ModelSpec& model, const graph::Precision& precision, const Training& training,
                 const spec::Hardware& hardware, const spec::TrainingRuntime& stack);

}  // namespace mlosim::predict
