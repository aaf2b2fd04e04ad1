// A software stack, as models/runtimes/<name>.yaml describes it: what it fuses, how it launches, what it adds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/spec/collective_spec.hpp"
#include "sim/spec/kernel_parameters.hpp"
#include "sim/spec/node.hpp"
#include "sim/spec/training_runtime.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::spec {

enum class LaunchPath {
  eager,     // the host submits kernel by kernel
  graph,     // a captured graph is replayed
  compiled,  // one program per step (XLA)
};

struct RuntimeSpec {
  std::string name;
  std::vector<std::string> vendors;  // of the chips that it runs on
  LaunchPath decode_launch = LaunchPath::graph;
  LaunchPath prefill_launch = LaunchPath::eager;
  bool fused_attention = true;        // flash-style kernels; otherwise scores go through memory
  bool fuses_residual_norm = true;    // residual addition inside the norm kernel
  bool fuses_gate_activation = true;  // activation and gate product in one kernel
  bool fuses_rope = true;             // rotary embedding (and KV append) inside the attention call
  bool fuses_elementwise = false;     // a compiler folds elementwise work into the producing GEMM
  bool fuses_quantisation = false;    // norms and activations of a network write the quantised tensor themselves
  Seconds step_overhead;              // host time of a step that nothing hides
  double reserved_memory = 0;         // share of the device memory that the stack leaves unused
  Bytes context_memory;               // libraries, workspace and graphs on each chip
  Quantiser quantiser;                // of chips whose kernels' parameters have none
  std::optional<CustomAllReduce> custom_all_reduce;
  std::optional<TrainingRuntime> training;  // none: it does not train
};

RuntimeSpec decode_runtime(Node node);

}  // namespace mlosim::spec
