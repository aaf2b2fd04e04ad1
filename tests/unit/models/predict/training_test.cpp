// A training step as predict() answers it: its parts, its schedules, and what reality does to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "models/predict/predict.hpp"
#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::predict {
namespace {

using testing::HasSubstr;

constexpr const char* kTrainedModel = "{layers: 8, hidden: 1024, heads: 16, ffn: 4096, gated: false, vocab: 32000}";

std::string train_text(const std::string& parallelism, const std::string& train = "", const std::string& rest = "") {
  return workload_text("train", "toy_8",
                       std::string("model: ") + kTrainedModel + ", runtime: trainer, parallelism: {" + parallelism +
                           "}, train: {global_batch: 64, sequence: 1024" + train + "}" + rest);
}

class TrainingTest : public testing::Test, protected Desk {};

TEST_F(TrainingTest, ThePartsOfAStepAddUpToIt) {
  for (const char* parallelism :
       {"dp: 8", "tp: 8, sp: true", "pp: 4, dp: 2", "dp: 8, zero: 3", "tp: 2, cp: 2, dp: 2"}) {
    const Prediction p = predict(train_text(parallelism));
    EXPECT_NEAR(p.evaluation.total.breakdown.total() / p.evaluation.total.makespan, 1, 1e-6) << parallelism;
    EXPECT_EQ(p.evaluation.tokens, 64 * 1024) << parallelism;
    EXPECT_EQ(p.evaluation.chips, 8) << parallelism;
    EXPECT_GT(p.mfu, 0) << parallelism;
    EXPECT_LT(p.hfu, 1) << parallelism;
    EXPECT_GT(p.evaluation.total.breakdown.optimizer, Seconds(0)) << parallelism;
  }
}

// Six flops a parameter and token, and twelve a layer, hidden element and pair of tokens, halved by the causal mask.
TEST_F(TrainingTest, TheModelsFlopsAreThoseOfThePapers) {
  const double tokens = 64 * 1024, layer = 12.0 * 1024 * 1024, head = 32000.0 * 1024;
  const double attention = 8 * 6.0 * 1024 * 1025;
  const Prediction p = predict(train_text("dp: 8"));
  EXPECT_NEAR(p.evaluation.model_flops.si() / (tokens * (6 * (8 * layer + head) + attention)), 1, 0.002);
}

TEST_F(TrainingTest, RecomputationTakesTimeAndSavesMemory) {
  const Prediction none = predict(train_text("dp: 8", ", micro_batch: 4")),
                   full = predict(train_text("dp: 8", ", micro_batch: 4, recompute: full"));
  EXPECT_GT(full.evaluation.total.makespan, 1.15 * none.evaluation.total.makespan);
  EXPECT_LT(full.evaluation.memory->activations, 0.6 * none.evaluation.memory->activations);
  EXPECT_EQ(full.evaluation.model_flops.si(), none.evaluation.model_flops.si());
  EXPECT_GT(full.hfu, 1.2 * full.mfu);
}

TEST_F(TrainingTest, ABubbleIsAsLongAsItsScheduleMakesIt) {
  const auto bubble = [&](const std::string& parallelism) {
    const report::StepReport& total = predict(train_text(parallelism)).evaluation.total;
    return total.breakdown.bubble / (total.makespan - total.breakdown.optimizer);
  };
  const double one = bubble("pp: 4, dp: 2"), interleaved = bubble("pp: 4, dp: 2, virtual_stages: 2");
  EXPECT_GT(one, 0.02);
  EXPECT_LT(interleaved, one);
  EXPECT_EQ(predict(train_text("dp: 8")).evaluation.total.breakdown.bubble.si(), 0);
}

TEST_F(TrainingTest, ClosedFormAndPlayOfAStepAgree) {
  for (const char* parallelism :
       {"pp: 4, dp: 2", "pp: 4, dp: 2, virtual_stages: 2", "dp: 8, zero: 3", "tp: 4, dp: 2"}) {
    const double event =
                     predict_with(train_text(parallelism), {}, chip::Fidelity::event).evaluation.total.makespan.si(),
                 closed = predict_with(train_text(parallelism), {}).evaluation.total.makespan.si();
    EXPECT_NEAR(event / closed, 1, 0.1) << parallelism;
  }
}

TEST_F(TrainingTest, SharedStatesNeedLessMemory) {
  Bytes before(1e18);
  for (const char* zero : {"0", "1", "2", "3"}) {
    const Bytes now = predict(train_text(std::string("dp: 8, zero: ") + zero)).evaluation.memory->total();
    EXPECT_LT(now, before) << zero;
    before = now;
  }
}

TEST_F(TrainingTest, AStragglerHoldsUpTheStep) {
  const auto step = [&](const std::string& reality) {
    return predict(train_text("pp: 2, dp: 4", "", reality)).evaluation.total.makespan;
  };
  const Seconds ideal = step("");
  const Seconds slow = step(", reality: {stragglers: [{rank: 7, slowdown: 1.5}]}");
  EXPECT_GT(slow, 1.2 * ideal);
  EXPECT_LT(slow, 1.5 * ideal);
  EXPECT_GT(step(", reality: {jitter: {deviation: 0.02}}"), ideal);
}

TEST_F(TrainingTest, FailuresLeaveAShareOfTheTime) {
  const Prediction p = predict(train_text(
      "dp: 8", "", ", reality: {failures: {chip_mtbf: 1000 h, restart: 5 min}, checkpoint: {storage: 1 GB/s}}"));
  ASSERT_TRUE(p.evaluation.goodput.has_value());
  const plan::Goodput& g = *p.evaluation.goodput;
  EXPECT_LT(g.useful, 1);
  EXPECT_NEAR(g.useful + g.checkpointing + g.lost_work + g.restarting + g.waiting, 1, 1e-9);
  EXPECT_EQ(p.evaluation.total.makespan.si(), predict(train_text("dp: 8")).evaluation.total.makespan.si());
}

TEST_F(TrainingTest, AStackThatOnlyServesFallsBackToOneThatTrains) {
  const Prediction p = predict(workload_text("train", "toy_8",
                                             std::string("model: ") + kTrainedModel +
                                                 ", runtime: acme, parallelism: {dp: 8}, train: {global_batch: 64, "
                                                 "sequence: 1024}"));
  EXPECT_EQ(p.runtime, "trainer");
}

TEST_F(TrainingTest, WhatCannotBeIsRefusedWithItsPlace) {
  EXPECT_THAT(prediction_mistake(train_text("tp: 3, dp: 1")), HasSubstr("16 heads cannot be cut 3 ways"));
  EXPECT_THAT(prediction_mistake(train_text("dp: 8", ", micro_batch: 16")), HasSubstr("no multiple of dp 8"));
  EXPECT_THAT(prediction_mistake(train_text("dp: 8", ", micro_batch: 128")), HasSubstr("more than the global batch"));
  EXPECT_THAT(prediction_mistake(train_text("pp: 64, dp: 1")), HasSubstr("8 layers do not reach for 64 stages"));
  EXPECT_THAT(prediction_mistake(train_text("dp: 8", ", recompute: some")), HasSubstr("recompute"));
  EXPECT_THAT(prediction_mistake(train_text("dp: 8", "", ", reality: {spread: {}}")), HasSubstr("reality"));
}

}  // namespace
}  // namespace mlosim::predict
