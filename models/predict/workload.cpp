#include "models/predict/workload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "models/import/hf_config.hpp"
#include "models/plan/inference_step.hpp"
#include "models/predict/overrides.hpp"
#include "sim/spec/spelling.hpp"
#include "sim/units/check.hpp"

namespace mlosim::predict {
namespace {

using spec::Node;
using spec::Value;
using work::DType;

constexpr std::array kTasks{
    std::pair{std::string_view("train"), Task::train}, std::pair{std::string_view("prefill"), Task::prefill},
    std::pair{std::string_view("decode"), Task::decode}, std::pair{std::string_view("generate"), Task::generate},
    std::pair{std::string_view("ops"), Task::ops}};

// Empty, with a diagnostic, where it is none that is modelled.
std::optional<Task> decode_task(Node& node) {
  const std::string text = node.require_text("task");
  for (const auto& [name, task] : kTasks) {
    if (text == name) return task;
  }
  if (text == "serve") {
    node.fail_at("task", "task 'serve' is not modelled in this version",
                 "train, prefill, decode, generate and ops are");
  } else if (!text.empty()) {
    node.fail_at("task", fmt::format("unknown task '{}'", text),
                 spec::spelling_hint(text, {"train", "prefill", "decode", "generate", "ops"}));
  }
  return std::nullopt;
}

DType decode_precision_dtype(const Node& node) {
  return node.as_word<DType>({{"bf16", DType::bf16},
                              {"fp16", DType::fp16},
                              {"fp8", DType::fp8},
                              {"fp8_block", DType::fp8_block},
                              {"mxfp8", DType::mxfp8},
                              {"nvfp4", DType::nvfp4},
                              {"mxfp4", DType::mxfp4},
                              {"int8", DType::int8},
                              {"int4", DType::int4},
                              {"tf32", DType::tf32},
                              {"fp32", DType::fp32}});
}

PrecisionChoice decode_precision(Node node, bool trains) {
  PrecisionChoice choice;
  if (!node.is_present()) return choice;
  if (!node.is_mapping()) {
    choice.weights = decode_precision_dtype(node);
    return choice;
  }
  const auto read = [&](const char* key, std::optional<DType>& into) {
    if (node.has(key)) into = decode_precision_dtype(node.child(key));
  };
  read("weights", choice.weights);
  read("activations", choice.activations);
  read("kv_cache", choice.kv_cache);
  for (const auto& [key, into] :
       {std::pair("gradients", &choice.gradients), std::pair("optimizer", &choice.optimizer)}) {
    if (!node.has(key)) continue;
    *into = decode_precision_dtype(node.child(key));
    if (!trains) node.fail_at(key, fmt::format("'{}' belongs to the task 'train'", key), "leave it out");
  }
  if (choice.activations == DType::int4) node.fail_at("activations", "int4 is a format of weights only");
  node.finish();
  return choice;
}

RuntimeChoice decode_runtime_choice(Node node) {
  RuntimeChoice choice;
  if (!node.is_present()) return choice;
  if (!node.is_mapping()) {
    choice.profile = node.as_text();
    return choice;
  }
  choice.profile = node.text_or("framework", "");
  if (node.has("graphs")) choice.graphs = node.flag_or("graphs", true);
  if (node.has("fusion")) choice.fusion = node.require_word<bool>("fusion", {{"default", true}, {"none", false}});
  if (node.has("fused_attention")) choice.fused_attention = node.flag_or("fused_attention", true);
  node.finish();
  return choice;
}

Inference decode_inference(Node node, Task task) {
  Inference inference;
  inference.batch = node.require_count("batch");
  inference.prompt = node.require_count("prompt");
  inference.output = task == Task::prefill ? node.count_or("output", 1) : node.require_count("output");
  if (node.has("count")) inference.count_prefill = node.require_word<bool>("count", {{"all", true}, {"decode", false}});
  if (!inference.count_prefill && task != Task::generate)
    node.fail_at("count", "only the task 'generate' has a prefill to leave out");
  constexpr double kMostTokens = 1e12, kLongestContext = 1e9;  // keep products within exact integers
  const double context = static_cast<double>(inference.prompt) + static_cast<double>(inference.output);
  if (static_cast<double>(inference.batch) * context > kMostTokens || context > kLongestContext) {
    node.fail(fmt::format("a batch of {} sequences of {} tokens is beyond what can be meant", inference.batch,
                          inference.prompt + inference.output));
  }
  node.finish();
  return inference;
}

void apply_options(const WorkloadOptions& options, Value& document, Changes& changes) {
  if (options.system) spec::set_at(document, "system", spec::make_scalar(*options.system, "--system"));
  if (options.chips) spec::set_at(document, "chips", spec::make_scalar(std::to_string(*options.chips), "--chips"));
  for (const auto& [path, text] : options.settings)
    sort_change({path, spec::make_scalar(text, "--set " + path)}, document, changes);
}

void decode_ops(Node node, std::int64_t chips, Workload& workload) {
  if (!node.is_present()) {
    node.fail("task 'ops' needs a list of operators", "ops: [{op: gemm, m: 8192, n: 8192, k: 8192}]");
    return;
  }
  for (const Node& item : node.items()) {
    constexpr std::int64_t kMostStreams = 128;  // that a GPU runs beside each other
    Node entry = item;
    workload.streams.push_back(entry.count_or("stream", 0, 0));
    if (workload.streams.back() >= kMostStreams)
      entry.fail_at("stream", fmt::format("streams are 0 to {}", kMostStreams - 1));
    workload.ops.push_back(decode_op(entry, chips));
    workload.op_places.push_back(item.value()->place());
    const auto* collective = std::get_if<work::Collective>(&workload.ops.back());
    if (collective && workload.chips && collective->ranks * collective->stride > *workload.chips) {
      const std::string apart =
          collective->stride == 1 ? std::string() : fmt::format(", {} chips apart,", collective->stride);
      item.fail_at("ranks",
                   fmt::format("{} ranks{} are more than the {} chips of the workload", collective->ranks, apart,
                               *workload.chips),
                   "raise 'chips', or leave it out");
    }
  }
  if (workload.ops.empty()) node.fail("the list of operators is empty");
}

void decode_training_run(Node& node, Workload& workload) {
  Node place = node.child("parallelism");
  Training training = decode_training(node.require_mapping("train"));
  training.parallelism =
      plan::decode_training_parallelism(place, !workload.model || workload.model->moe, workload.chips.value_or(0));
  if (workload.model) {
    plan::check_training(*workload.model, training.parallelism, training.global_batch, training.micro_batch,
                         training.sequence, place.is_present() ? place : node);
  }
  training.moments = workload.precision.optimizer.value_or(training.moments);
  training.reality = plan::decode_reality(node.child("reality"), training.parallelism.chips());
  workload.training = std::move(training);
}

void decode_network(Node& node, const Value& document, const spec::Library& library, const Changes& changes,
                    Workload& workload, std::vector<std::string>& warnings) {
  Node model = node.child("model");
  if (model.is_present()) {
    try {
      workload.model = load_model(library, *document.find("model"), changes.model, warnings);
    } catch (const spec::InputError& error) {  // the rest of the workload is read all the same
      for (const spec::Diagnostic& diagnostic : error.diagnostics()) node.decoding().diagnostics.add(diagnostic);
    }
  } else {
    node.fail("key 'model' is missing", "name a model of models/zoo, a file, or give its fields");
  }
  if (workload.task == Task::train) {
    decode_training_run(node, workload);
    return;
  }
  if (workload.model && workload.model->architecture == graph::Architecture::encoder &&
      workload.task != Task::prefill) {
    node.fail_at("task", fmt::format("{} is an encoder: it generates no tokens", workload.model->name),
                 "task: prefill encodes a batch");
  }
  workload.inference = decode_inference(node.require_mapping("inference"), workload.task);
  if (workload.model && workload.model->image > 0 && workload.inference.prompt != workload.model->image_tokens()) {
    node.child("inference")
        .warn(fmt::format("{} reads the {} tokens of an image, whatever 'prompt' says", workload.model->name,
                          workload.model->image_tokens()));
  }
  const bool may_have_moe = !workload.model || workload.model->moe;
  workload.parallelism = plan::decode_parallelism(node.child("parallelism"), may_have_moe, workload.chips.value_or(1));
  if (workload.chips) workload.parallelism = plan::fit_to_chips(workload.parallelism, *workload.chips, node);
  if (workload.model)
    plan::check_inference(*workload.model, workload.parallelism, workload.inference.batch, workload.inference.prompt,
                          node.child("parallelism"));
}

}  // namespace

std::string_view name_of(Task task) {
  for (const auto& [name, value] : kTasks) {
    if (value == task) return name;
  }
  MLOSIM_CHECK(false);
}

graph::ModelSpec load_model(const spec::Library& library, const Value& value,
                            const std::vector<spec::Override>& overrides, std::vector<std::string>& warnings) {
  Value document =
      value.is_scalar() ? spec::read_document(library.require(spec::Shelf::models, value.text, value.place())) : value;
  for (const spec::Override& change : overrides) spec::set_at(document, change.path, change.value);
  spec::Decoding decoding;
  graph::ModelSpec model = import::is_hf_config(document)
                               ? import::import_hf_config(Node(&document, "model", &decoding))
                               : graph::decode_model(Node(&document, "model", &decoding));
  decoding.diagnostics.throw_if_any();
  warnings.insert(warnings.end(), decoding.warnings.begin(), decoding.warnings.end());
  return model;
}

Workload read_workload(const spec::Library& library, const std::string& name_or_path, const WorkloadOptions& options,
                       std::vector<std::string>& warnings) {
  return decode_workload(library, spec::read_document(library.require(spec::Shelf::workloads, name_or_path)),
                         name_or_path, options, warnings);
}

Workload decode_workload(const spec::Library& library, Value document, const std::string& unnamed,
                         const WorkloadOptions& options, std::vector<std::string>& warnings) {
  if (!document.is_mapping())
    throw spec::InputError(
        {{.place = document.place(), .path = "", .message = "a workload is a list of 'key: value'", .hint = ""}});
  Changes changes = take_overrides(document);
  apply_options(options, document, changes);

  spec::Decoding decoding;
  Node node(&document, "", &decoding);
  Workload workload;
  node.expect_schema("mlosim/workload/1");
  workload.name = node.text_or("name", unnamed);
  node.text_or("description", "");
  const std::optional<Task> task = decode_task(node);
  if (!task) decoding.diagnostics.throw_if_any();  // what else is right depends on the task
  workload.task = task.value_or(Task::ops);
  workload.system = node.require_text("system");
  if (const Value* system = document.find("system"); system && !workload.system.empty()) {
    workload.system_place = system->place();
    if (const auto wrong = spec::check_system_name(library, workload.system, workload.system_place))
      decoding.diagnostics.add(*wrong);
  }
  if (node.has("chips")) workload.chips = node.require_count("chips");
  workload.precision = decode_precision(node.child("precision"), workload.task == Task::train);
  workload.runtime = decode_runtime_choice(node.child("runtime"));
  workload.economics = spec::decode_economics(node.child("economics"));
  workload.overrides = std::move(changes.hardware);
  if (workload.task == Task::ops) {
    decode_ops(node.child("ops"), workload.chips.value_or(1), workload);
  } else {
    decode_network(node, document, library, changes, workload, warnings);
  }
  node.finish();
  decoding.diagnostics.throw_if_any();
  warnings.insert(warnings.end(), decoding.warnings.begin(), decoding.warnings.end());
  return workload;
}

}  // namespace mlosim::predict
