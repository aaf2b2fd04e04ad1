// resolve_precision and resolve_runtime: what a workload leaves open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "models/predict/evaluate.hpp"
#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::predict {
namespace {

using graph::Precision;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using work::DType;

class PrecisionTest : public testing::Test {
 protected:
  Precision resolve(const std::string& chip, const PrecisionChoice& choice,
                    std::optional<DType> published = std::nullopt) {
    graph::ModelSpec model;
    model.weights_dtype = published;
    warnings.clear();
    return resolve_precision(choice, model, small.hardware(chip).system.chip, warnings);
  }
  std::string mistake(const std::string& chip, const PrecisionChoice& choice) {
    try {
      resolve(chip, choice);
      return "none";
    } catch (const spec::InputError& error) {
      return error.what();
    }
  }

  spec::SmallLibrary small;
  std::vector<std::string> warnings;
};

PrecisionChoice weights(DType dtype) {
  return {.weights = dtype, .activations = std::nullopt, .kv_cache = std::nullopt};
}

void expect(const Precision& p, DType w, DType activations, DType kv_cache, DType compute) {
  EXPECT_EQ(work::name_of(p.weights), work::name_of(w));
  EXPECT_EQ(work::name_of(p.activations), work::name_of(activations));
  EXPECT_EQ(work::name_of(p.kv_cache), work::name_of(kv_cache));
  EXPECT_EQ(work::name_of(p.compute), work::name_of(compute));
}

TEST_F(PrecisionTest, SixteenBitsAreTheDefaultInWhatTheChipHas) {
  expect(resolve("toy", {}), DType::bf16, DType::bf16, DType::bf16, DType::bf16);
  expect(resolve("old", {}), DType::fp16, DType::fp16, DType::fp16, DType::fp16);
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(PrecisionTest, AWideFormatIsThatOfEverything) {
  expect(resolve("toy", weights(DType::fp16)), DType::fp16, DType::fp16, DType::fp16, DType::fp16);
  expect(resolve("toy", weights(DType::fp32)), DType::fp32, DType::fp32, DType::fp32, DType::fp32);
  expect(resolve("toy", weights(DType::tf32)), DType::tf32, DType::tf32, DType::fp32, DType::fp32);
}

TEST_F(PrecisionTest, AQuantisedRunKeepsTheRestInSixteenBits) {
  expect(resolve("toy", weights(DType::fp8)), DType::fp8, DType::fp8, DType::bf16, DType::bf16);
  expect(resolve("old", weights(DType::int8)), DType::int8, DType::int8, DType::fp16, DType::fp16);
}

TEST_F(PrecisionTest, BlockScaledFp8RunsAsFp8) {
  expect(resolve("toy", weights(DType::mxfp8)), DType::mxfp8, DType::mxfp8, DType::bf16, DType::bf16);
}

TEST_F(PrecisionTest, Int4IsForWeightsAlone) {
  expect(resolve("toy", weights(DType::int4)), DType::int4, DType::bf16, DType::bf16, DType::bf16);
  expect(resolve("old", weights(DType::int4)), DType::int4, DType::fp16, DType::fp16, DType::fp16);
}

TEST_F(PrecisionTest, AFormatThatTheChipCannotMultiplyIsRefusedWithWhatToWrite) {
  EXPECT_EQ(
      mistake("old", weights(DType::fp8)),
      "old has no fp8 arithmetic; write precision: {weights: fp8, activations: fp16} to keep only the weights in it");
  EXPECT_THAT(mistake("toy", weights(DType::nvfp4)), HasSubstr("toy has no nvfp4 arithmetic"));
}

TEST_F(PrecisionTest, TheHintThatARefusalGivesIsAccepted) {
  expect(resolve("old", {.weights = DType::fp8, .activations = DType::fp16, .kv_cache = std::nullopt}), DType::fp8,
         DType::fp16, DType::fp16, DType::fp16);
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(PrecisionTest, APublishedFormatIsTakenWhereTheChipHasIt) {
  expect(resolve("toy", {}, DType::fp8), DType::fp8, DType::fp8, DType::bf16, DType::bf16);
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(PrecisionTest, APublishedFormatThatTheChipLacksIsWidenedWithAWarning) {
  expect(resolve("old", {}, DType::fp8), DType::fp8, DType::fp16, DType::fp16, DType::fp16);
  EXPECT_THAT(warnings, ElementsAre("old has no fp8 arithmetic: the published weights are widened to fp16"));
}

TEST_F(PrecisionTest, TheWorkloadGoesBeforeThePublishedFormat) {
  expect(resolve("toy", weights(DType::bf16), DType::fp8), DType::bf16, DType::bf16, DType::bf16, DType::bf16);
}

TEST_F(PrecisionTest, WhatIsWrittenIsKept) {
  expect(resolve("toy", {.weights = DType::fp8, .activations = DType::bf16, .kv_cache = DType::fp8}), DType::fp8,
         DType::bf16, DType::fp8, DType::bf16);
}

TEST(ResolveRuntime, AProfileIsKeptWhereTheWorkloadSaysNothing) {
  spec::RuntimeSpec profile;
  profile.decode_launch = spec::LaunchPath::compiled;
  profile.fuses_elementwise = true;
  const spec::RuntimeSpec r = resolve_runtime(profile, {});
  EXPECT_EQ(r.decode_launch, spec::LaunchPath::compiled);
  EXPECT_TRUE(r.fuses_elementwise);
  EXPECT_TRUE(r.fused_attention);
}

TEST(ResolveRuntime, GraphsAreForAllPhasesOrForNone) {
  RuntimeChoice choice;
  choice.graphs = true;
  EXPECT_EQ(resolve_runtime({}, choice).prefill_launch, spec::LaunchPath::graph);
  choice.graphs = false;
  EXPECT_EQ(resolve_runtime({}, choice).decode_launch, spec::LaunchPath::eager);
}

TEST(ResolveRuntime, WithoutFusionEveryOperatorIsAKernelOfItsOwn) {
  RuntimeChoice choice;
  choice.fusion = false;
  const spec::RuntimeSpec r = resolve_runtime({}, choice);
  EXPECT_FALSE(r.fuses_residual_norm || r.fuses_gate_activation || r.fuses_rope || r.fuses_elementwise);
  EXPECT_TRUE(r.fused_attention) << "attention has a word of its own";
}

}  // namespace
}  // namespace mlosim::predict
