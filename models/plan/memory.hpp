// Bytes that one chip must hold, and the account of inference.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/plan/parallelism.hpp"
#include "sim/spec/runtime_spec.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::plan {

struct MemoryPlan {
  Bytes weights, kv_cache, activations, workspace;
  Bytes gradients, optimizer;                            // of training
  Bytes capacity;                                        // that the stack may use of the chip
  Bytes per_sequence;                                    // KV cache of one sequence on a chip
  std::int64_t sequences = 0;                            // on a chip
  std::vector<std::pair<std::string, Bytes>> fitting{};  // of training: changes of the layout that fit, and their total

  Bytes total() const { return weights + kv_cache + activations + gradients + optimizer + workspace; }
  bool fits() const { return total() <= capacity; }
};

// `batch` sequences over all replicas whose caches grow to `context` tokens; `step_tokens` tokens pass through a chip
// at once. Activations: residual stream, widest intermediate and fp32 logits of those tokens. With pp the plan is that
// of the stage that holds most; cp ranks share the cache of each sequence.
MemoryPlan plan_inference_memory(const graph::ModelSpec& model, const Parallelism& parallelism,
                                 const graph::Precision& precision, std::int64_t batch, std::int64_t context,
                                 std::int64_t step_tokens, Bytes usable, const spec::RuntimeSpec& runtime);

}  // namespace mlosim::plan
