// How a software stack trains: the `training:` block of models/runtimes/<name>.yaml. What its host does, what it fuses
// and what it lets run beside what. Used by models/plan for the programs of a training step.
#pragma once

#include "sim/spec/node.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/dtype.hpp"

namespace mlosim::spec {

// How kernels of a training step reach the chip.
enum class TrainingHost {
  in_step,   // the host follows the chip: a kernel takes at least the host's time to launch it
  ahead,     // the host runs ahead: a step takes at least the sum of all launches
  captured,  // a captured graph or a compiled program
};

struct TrainingRuntime {
  TrainingHost host = TrainingHost::ahead;
  Seconds submit;                   // host time of one kernel, framework included
  Seconds step_overhead;            // once a step, hidden by nothing
  bool dropout = false;             // on attention probabilities and both residual branches
  bool fused_cross_entropy = true;  // logits are read twice and never widened to fp32 in memory
  bool fuses_elementwise = false;   // a compiler folds pointwise work into the producing GEMM
  double pass_bytes = 1;            // bytes of elementwise passes over the least: casts, additions left unfused
  // Shares of a communication's time that the kernels beside it do not hide.
  double tp_exposed = 1, ep_exposed = 1, cp_exposed = 1, dp_exposed = 0;
  double regather_exposed = 0;         // of the all-gathers that sequence-parallel ranks repeat for weight gradients
  bool overlaps_grad_reduce = false;   // of layers whose gradients are ready with the rest of the backward pass
  bool overlaps_param_gather = false;  // of later layers with the first forward pass (zero 1 and 2)
  bool overlaps_p2p = false;           // stages compute while they send and receive
  bool scatters_messages = false;      // of what all tensor-parallel ranks hold, each sends a part to the next stage
  work::DType reduced_gradients = work::DType::fp32;  // format in which gradients are summed over replicas
  double reserved_memory = 0;                         // share of the device memory lost to fragmentation
  Bytes context_memory;                               // libraries and workspaces on each chip
};

TrainingRuntime decode_training_runtime(Node node);

}  // namespace mlosim::spec
