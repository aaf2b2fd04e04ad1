// The `train:` and `parallelism:` mappings of a training workload, decoded.
#pragma once

#include <cstdint>
#include <optional>

#include "models/graph/recompute.hpp"
#include "models/plan/reality.hpp"
#include "models/plan/training_parallelism.hpp"
#include "models/plan/training_states.hpp"
#include "sim/spec/node.hpp"

namespace mlosim::predict {

using plan::Optimizer;

// What runs beside the products, where the workload says so itself; otherwise as the runtime does it.
struct OverlapChoice {
  std::optional<bool> grad_reduce, param_gather, tp;
};

struct Training {
  std::int64_t global_batch = 1, micro_batch = 1, sequence = 1;  // sequences, sequences, tokens
  graph::Recompute recompute;
  Optimizer optimizer = Optimizer::adam;
  work::DType moments = work::DType::fp32;  // of Adam: the workload's `precision.optimizer`
  OverlapChoice overlap;
  plan::TrainingParallelism parallelism;
  plan::Reality reality;  // the `reality:` block of the workload

  std::int64_t micro_batches() const { return global_batch / (parallelism.dp * micro_batch); }  // of one replica
};

// Decodes `train:`; the moments' format, parallelism and reality are the caller's. Mistakes are diagnostics.
Training decode_training(spec::Node node);

}  // namespace mlosim::predict
