// A workload file, decoded: which model does what, on which system, how. interfaces.md's "Workload" is the contract.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/graph/model.hpp"
#include "models/plan/parallelism.hpp"
#include "models/predict/training.hpp"
#include "sim/spec/economics.hpp"
#include "sim/spec/hardware.hpp"
#include "sim/spec/library.hpp"
#include "sim/spec/runtime_spec.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::predict {

enum class Task { train, prefill, decode, generate, ops };

std::string_view name_of(Task task);

struct Inference {
  std::int64_t batch = 1, prompt = 1, output = 1;
  bool count_prefill = true;  // whether `generate` counts the prefill in time_s
};

// Formats as the user wrote them; what is left out follows from the weights and from what the chip can do.
struct PrecisionChoice {
  std::optional<work::DType> weights{}, activations{}, kv_cache{};
  std::optional<work::DType> gradients{}, optimizer{};  // of training: as they are summed up, and of Adam's moments
};

// The `runtime:` fields besides the profile's name.
struct RuntimeChoice {
  std::string profile;         // empty: the vendor's default
  std::optional<bool> graphs;  // replay captured graphs in every phase, or in none
  std::optional<bool> fusion;  // default or none
  std::optional<bool> fused_attention;
};

struct Workload {
  std::string name;
  Task task = Task::decode;
  std::string system;
  spec::Place system_place;           // where it was asked for
  std::optional<std::int64_t> chips;  // as given
  std::optional<graph::ModelSpec> model;
  PrecisionChoice precision;
  plan::Parallelism parallelism;  // of inference, completed
  Inference inference;
  std::optional<Training> training;  // of the task train
  std::vector<work::Operator> ops;
  std::vector<std::int64_t> streams;  // of each of `ops`: those of one run in order, those of several beside each other
  std::vector<spec::Place> op_places;  // where each of them is written
  RuntimeChoice runtime;
  spec::EconomicsChoice economics;
  std::vector<spec::Override> overrides;  // of the hardware
};

// What the command line lays over a workload file.
struct WorkloadOptions {
  std::optional<std::string> system;
  std::optional<std::int64_t> chips;
  std::vector<std::pair<std::string, std::string>> settings;  // --set path=value, in order
};

// Reads a workload by name or path ("-": standard input). Throws spec::InputError with all mistakes; warnings are
// appended.
Workload read_workload(const spec::Library& library, const std::string& name_or_path, const WorkloadOptions& options,
                       std::vector<std::string>& warnings);

// The same for a document that has been read already; `unnamed` is its name where it has none.
Workload decode_workload(const spec::Library& library, spec::Value document, const std::string& unnamed,
                         const WorkloadOptions& options, std::vector<std::string>& warnings);

// A model by zoo name, by path (model YAML or Hugging Face config.json), or from inline fields.
graph::ModelSpec load_model(const spec::Library& library, const spec::Value& value,
                            const std::vector<spec::Override>& overrides, std::vector<std::string>& warnings);

// `plan:` of a GEMM: how the author of its kernel tiles it. What the chip cannot hold is found out when it is priced.
work::Tiling decode_plan(spec::Node node, const work::Gemm& gemm);

// One entry of `ops:`. `chips` is the default number of ranks of a collective.
work::Operator decode_op(spec::Node node, std::int64_t chips);

}  // namespace mlosim::predict
