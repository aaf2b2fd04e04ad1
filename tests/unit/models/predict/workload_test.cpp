#include "models/predict/workload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::predict {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using work::DType;

class WorkloadTest : public testing::Test, protected Desk {};

WorkloadOptions set(std::vector<std::pair<std::string, std::string>> settings) {
  WorkloadOptions options;
  options.settings = std::move(settings);
  return options;
}

TEST_F(WorkloadTest, AFileIsReadAsTheContractSays) {
  const Workload w = read(workload_text("generate", "toy_8",
                                        std::string("model: ") + kMoeModel +
                                            ", chips: 8, precision: {weights: fp8, kv_cache: int8}, parallelism: {tp: "
                                            "8, ep: 4}, inference: {batch: 64, prompt: 2048, output: 256, count: "
                                            "decode}, runtime: {framework: acme, graphs: false, fusion: none, "
                                            "fused_attention: false}, overrides: {chip.units: 50}"));
  EXPECT_EQ(w.name, "w");
  EXPECT_EQ(w.task, Task::generate);
  EXPECT_EQ(w.system, "toy_8");
  EXPECT_EQ(w.chips, 8);
  EXPECT_EQ(w.model->layers, 4);
  EXPECT_EQ(w.precision.weights, DType::fp8);
  EXPECT_FALSE(w.precision.activations.has_value());
  EXPECT_EQ(w.precision.kv_cache, DType::int8);
  EXPECT_EQ(w.parallelism.moe_tp, 2);
  EXPECT_EQ(w.inference.batch, 64);
  EXPECT_EQ(w.inference.output, 256);
  EXPECT_FALSE(w.inference.count_prefill);
  EXPECT_EQ(w.runtime.profile, "acme");
  EXPECT_EQ(w.runtime.graphs, false);
  EXPECT_EQ(w.runtime.fusion, false);
  EXPECT_EQ(w.runtime.fused_attention, false);
  ASSERT_EQ(w.overrides.size(), 1U);
  EXPECT_EQ(w.overrides[0].path, "chip.units");
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(WorkloadTest, WhatIsLeftOutIsOpenOrOne) {
  const Workload w = read(
      workload_text("prefill", "toy", std::string("model: ") + kDenseModel + ", inference: {batch: 2, prompt: 100}"));
  EXPECT_FALSE(w.chips.has_value());
  EXPECT_FALSE(w.precision.weights.has_value());
  EXPECT_EQ(w.parallelism.chips(), 1);
  EXPECT_TRUE(w.runtime.profile.empty());
  EXPECT_FALSE(w.runtime.graphs.has_value());
  EXPECT_TRUE(w.inference.count_prefill);
}

TEST_F(WorkloadTest, AllMistakesAreReportedInOneRun) {
  const std::string said = mistake(
      "schema: mlosim/workload/1\ntask: decode\nsystem: toy\nmodle: x\nprecision: bf15\nparallelism: {tpp: 2}\n"
      "inference: {batch: 0, prompt: 12.5}\nruntime: {graphs: yes}\n");
  EXPECT_THAT(said, AllOf(HasSubstr("w.yaml:4:1: unknown key 'modle'; did you mean 'model'?"),
                          HasSubstr("key 'model' is missing"),
                          HasSubstr("w.yaml:5:12: precision: unknown value 'bf15'; did you mean 'bf16'?"),
                          HasSubstr("w.yaml:6:15: parallelism: unknown key 'tpp'; did you mean 'tp'?")));
  EXPECT_THAT(said, AllOf(HasSubstr("w.yaml:7:20: inference.batch: '0' is less than 1"),
                          HasSubstr("inference.prompt: '12.5' is not a whole number"),
                          HasSubstr("inference: key 'output' is missing"),
                          HasSubstr("w.yaml:8:19: runtime.graphs: expected true or false")));
}

TEST_F(WorkloadTest, AMistakeInTheModelDoesNotHideTheOthers) {
  const std::string said = mistake(
      "schema: mlosim/workload/1\ntask: decode\nsystem: toy\nmodel: {layers: 0}\ninference: {batch: 0, prompt: 1, "
      "output: 1}\n");
  EXPECT_THAT(said, AllOf(HasSubstr("model.layers"), HasSubstr("inference.batch")));
  EXPECT_THAT(mistake("schema: mlosim/workload/1\ntask: decode\nsystem: toy\nmodel: nowhere\ninference: {batch: 0, "
                      "prompt: 1, output: 1}\n"),
              AllOf(HasSubstr("w.yaml:4:8: no model is called 'nowhere'"), HasSubstr("inference.batch")));
}

TEST_F(WorkloadTest, ACollectiveHasNoMoreRanksThanTheWorkloadHasChips) {
  EXPECT_THAT(mistake(workload_text("ops", "toy_8",
                                    "chips: 4, ops: [{op: collective, kind: all_reduce, bytes: 1 MB, ranks: 8}]")),
              HasSubstr("8 ranks are more than the 4 chips"));
}

TEST_F(WorkloadTest, TasksThatAreNotModelledAreRefusedInWords) {
  EXPECT_THAT(
      mistake(workload_text("serve", "toy", "a: b")),
      EndsWith("task: task 'serve' is not modelled in this version; train, prefill, decode, generate and ops are"));
}

TEST_F(WorkloadTest, AnUnknownTaskIsAnsweredWithTheNearest) {
  EXPECT_THAT(mistake(workload_text("decod", "toy", "a: b")),
              HasSubstr("unknown task 'decod'; did you mean 'decode'?"));
  EXPECT_THAT(mistake("{schema: mlosim/workload/1, system: toy}"), HasSubstr("key 'task' is missing"));
}

TEST_F(WorkloadTest, TheKeysOfAnotherTaskAreUnknown) {
  EXPECT_THAT(mistake(decode_text("train: {global_batch: 8}")), HasSubstr("unknown key 'train'"));
  EXPECT_THAT(mistake(workload_text("ops", "toy", "ops: [{op: copy, rows: 1, cols: 1}], inference: {batch: 1}")),
              HasSubstr("unknown key 'inference'"));
}

TEST_F(WorkloadTest, WhatBelongsToTrainingIsRefusedInWords) {
  EXPECT_THAT(mistake(decode_text("precision: {weights: bf16, optimizer: fp32}")),
              HasSubstr("precision.optimizer: 'optimizer' belongs to the task 'train'"));
}

TEST_F(WorkloadTest, Int4IsAFormatOfWeightsOnly) {
  EXPECT_THAT(mistake(decode_text("precision: {weights: int4, activations: int4}")),
              HasSubstr("int4 is a format of weights only"));
  EXPECT_EQ(read(decode_text("precision: int4")).precision.weights, DType::int4);
}

TEST_F(WorkloadTest, OnlyAGenerationHasAPrefillToLeaveOut) {
  EXPECT_THAT(mistake(workload_text("decode", "toy",
                                    std::string("model: ") + kDenseModel +
                                        ", inference: {batch: 8, prompt: 512, output: 128, count: decode}")),
              HasSubstr("only the task 'generate' has a prefill to leave out"));
}

TEST_F(WorkloadTest, SizesBeyondAllMeaningAreAMistake) {
  EXPECT_THAT(mistake(workload_text(
                  "decode", "toy",
                  std::string("model: ") + kDenseModel + ", inference: {batch: 8e15, prompt: 8e15, output: 1}")),
              HasSubstr("beyond what can be meant"));
}

TEST_F(WorkloadTest, ADocumentThatIsNoMappingIsAMistake) {
  EXPECT_THAT(mistake("[a, b]\n"), HasSubstr("a workload is a list of 'key: value'"));
  EXPECT_THAT(mistake("text\n"), HasSubstr("a workload is a list of 'key: value'"));
}

TEST_F(WorkloadTest, AnotherSchemaIsAMistake) {
  EXPECT_THAT(mistake("{schema: mlosim/model/1, task: decode, system: toy}"),
              HasSubstr("schema 'mlosim/model/1' is not read here; expected 'mlosim/workload/1'"));
}

TEST_F(WorkloadTest, AModelMayBeInlineAFileAConfigOrAName) {
  const std::string fields =
      "{schema: mlosim/model/1, name: mine, layers: 3, hidden: 64, heads: 4, ffn: 96, vocab: 100}";
  small.write("models/zoo/sub/mine.yaml", fields);
  const std::string file = small.write("elsewhere/model.yaml", fields);
  const std::string config = small.write(
      "elsewhere/config.json",
      R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "num_hidden_layers": 5, "hidden_size": 64, "num_attention_heads": 4,
                                             "num_key_value_heads": 2, "intermediate_size": 96, "vocab_size": 100, "torch_dtype": "bfloat16"})");
  const auto layers = [&](const std::string& model) {
    return read(workload_text("prefill", "toy", "model: " + model + ", inference: {batch: 1, prompt: 8}"))
        .model->layers;
  };
  EXPECT_EQ(layers(kDenseModel), 4);
  EXPECT_EQ(layers("mine"), 3);
  EXPECT_EQ(layers(file), 3);
  EXPECT_EQ(layers(config), 5);
}

TEST_F(WorkloadTest, OverridesGoToTheHardwareToTheModelOrToTheWorkload) {
  const Workload w =
      read(decode_text("overrides: {system.chip.hbm.bandwidth: 2 TB/s, model.layers: 6, inference.batch: 32, "
                       "runtime.step_overhead: 1 us}"));
  ASSERT_EQ(w.overrides.size(), 2U);
  EXPECT_EQ(w.overrides[0].path, "system.chip.hbm.bandwidth");
  EXPECT_EQ(w.overrides[1].path, "runtime.step_overhead");
  EXPECT_EQ(w.model->layers, 6);
  EXPECT_EQ(w.inference.batch, 32);
}

TEST_F(WorkloadTest, WhatTheCommandLineSetsGoesOverTheFilesOverrides) {
  const Workload w =
      read(decode_text("overrides: {inference.batch: 32, chip.units: 50, model.layers: 6}"),
           set({{"inference.batch", "16"}, {"chip.units", "60"}, {"model.layers", "7"}, {"inference.batch", "24"}}));
  EXPECT_EQ(w.inference.batch, 24);
  EXPECT_EQ(w.model->layers, 7);
  ASSERT_EQ(w.overrides.size(), 2U);
  EXPECT_EQ(w.overrides.back().value.text, "60") << "applied last";
}

TEST_F(WorkloadTest, SystemAndChipsMayBeGivenOnTheCommandLine) {
  WorkloadOptions options;
  options.system = "toy_8";
  options.chips = 4;
  const Workload w = read(decode_text(), options);
  EXPECT_EQ(w.system, "toy_8");
  EXPECT_EQ(w.chips, 4);
  EXPECT_EQ(w.parallelism.tp, 4);
}

TEST_F(WorkloadTest, ARuntimeFieldMayBeSetWhereTheRuntimeIsANameOrNotThere) {
  const Workload named = read(decode_text("runtime: acme"), set({{"runtime.graphs", "false"}}));
  EXPECT_EQ(named.runtime.profile, "acme");
  EXPECT_EQ(named.runtime.graphs, false);
  const Workload absent = read(decode_text(), set({{"runtime.fused_attention", "false"}}));
  EXPECT_TRUE(absent.runtime.profile.empty());
  EXPECT_EQ(absent.runtime.fused_attention, false);
}

TEST_F(WorkloadTest, AnUnknownPathOfTheWorkloadIsAnsweredWithTheNearest) {
  EXPECT_THAT(mistake(decode_text(), set({{"inference.bach", "3"}})),
              HasSubstr("--set inference.bach: inference: unknown key 'bach'; did you mean 'batch'?"));
  EXPECT_THAT(mistake(decode_text(), set({{"model.layer", "3"}})),
              HasSubstr("unknown key 'layer'; did you mean 'layers'?"));
  EXPECT_THAT(mistake(decode_text(), set({{"system.", "3"}})), Not(HasSubstr("check failed")));
}

TEST_F(WorkloadTest, OverridesMustBeMembers) {
  EXPECT_THAT(mistake(decode_text("overrides: [a]")), HasSubstr("overrides: expected members"));
}

TEST_F(WorkloadTest, ExpertsAreCutWithTheAttentionWhereOnlyChipsAreGiven) {
  const Workload w = read(workload_text(
      "prefill", "toy_8", std::string("chips: 8, model: ") + kMoeModel + ", inference: {batch: 8, prompt: 64}"));
  EXPECT_EQ(w.parallelism.tp, 8);
  EXPECT_EQ(w.parallelism.moe_tp, 8);
}

TEST_F(WorkloadTest, MoreChipsThanTheParallelismAreReplicasWithAWarning) {
  EXPECT_EQ(read(decode_text("chips: 8, parallelism: {tp: 2}", "toy_8")).parallelism.dp, 4);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("8 chips are 4 replicas")));
}

TEST_F(WorkloadTest, AnOperatorRunsOnStreamZeroUnlessItSaysAnother) {
  const Workload w =
      read(workload_text("ops", "toy", "ops: [{op: copy, rows: 8, cols: 8}, {op: copy, rows: 8, cols: 8, stream: 3}]"));
  EXPECT_THAT(w.streams, ElementsAre(0, 3));
  EXPECT_THAT(mistake(workload_text("ops", "toy", "ops: [{op: copy, rows: 8, cols: 8, stream: 128}]")),
              HasSubstr("streams are 0 to 127"));
  EXPECT_THAT(mistake(workload_text("ops", "toy", "ops: [{op: copy, rows: 8, cols: 8, stream: -1}]")),
              HasSubstr("stream"));
}

}  // namespace
}  // namespace mlosim::predict
