// Inference on pipelines, context-parallel groups and sequence-parallel ranks, as predict() answers it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "models/predict/predict.hpp"
#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::predict {
namespace {

using testing::HasSubstr;

constexpr const char* kDeepModel = "{layers: 16, hidden: 1024, heads: 16, kv_heads: 8, ffn: 4096, vocab: 8000}";

std::string text(const std::string& task, const std::string& parallelism,
                 const std::string& inference = "{batch: 16, prompt: 1024, output: 128}") {
  return workload_text(
      task, "toy_8",
      std::string("model: ") + kDeepModel + ", parallelism: {" + parallelism + "}, inference: " + inference);
}

class ParallelInference : public testing::Test, protected Desk {
 protected:
  report::StepReport total(const std::string& of) { return predict(of).evaluation.total; }
  Seconds time(const std::string& of) { return total(of).makespan; }
};

TEST_F(ParallelInference, DegreesOfOneChangeNothingToTheBit) {
  for (const char* task : {"prefill", "decode", "generate"}) {
    const report::StepReport plain = total(text(task, "tp: 8")), ones = total(text(task, "tp: 8, pp: 1, cp: 1"));
    EXPECT_EQ(plain.makespan.si(), ones.makespan.si()) << task;
    EXPECT_EQ(plain.energy.si(), ones.energy.si()) << task;
    EXPECT_EQ(plain.breakdown.bubble.si(), 0) << task;
  }
}

TEST_F(ParallelInference, ThePartsOfAStepAddUpToIt) {
  for (const char* task : {"prefill", "decode", "generate"}) {
    for (const char* parallelism : {"pp: 8", "tp: 2, pp: 4", "tp: 4, pp: 2, sp: true", "tp: 2, cp: 4",
                                    "tp: 2, cp: 2, pp: 2", "tp: 8, sp: true"}) {
      const Prediction p = predict(text(task, parallelism));
      const report::StepReport& all = p.evaluation.total;
      EXPECT_NEAR(all.breakdown.total() / all.makespan, 1, 1e-9) << task << " " << parallelism;
      EXPECT_EQ(p.evaluation.chips, 8) << task << " " << parallelism;
      EXPECT_GE(all.makespan, p.evaluation.peak_time) << task << " " << parallelism;
    }
  }
}

TEST_F(ParallelInference, TheModelsFlopsAreThoseOfOneChip) {
  for (const char* task : {"prefill", "decode", "generate"}) {
    const double one = predict(text(task, "dp: 8")).evaluation.model_flops.si();
    for (const char* parallelism : {"pp: 8", "tp: 2, cp: 4", "tp: 8, sp: true"})
      EXPECT_EQ(predict(text(task, parallelism)).evaluation.model_flops.si(), one) << task << " " << parallelism;
  }
}

// A request waits for its next token while its micro-batch passes all stages: as long as one chip would take for it
// alone, and the messages. One chip would take no longer for all requests at once, where weights are what takes time.
TEST_F(ParallelInference, AllStagesWorkWhereThereAreRequestsForAll) {
  const report::StepReport few = total(text("decode", "pp: 8", "{batch: 1, prompt: 1024, output: 128}")),
                           many = total(text("decode", "pp: 8", "{batch: 64, prompt: 1024, output: 128}"));
  EXPECT_GT(few.breakdown.bubble / few.makespan, 0.86) << "seven of eight chips wait";
  EXPECT_LT(many.breakdown.bubble / many.makespan, 0.2);
  const Seconds alone = time(workload_text(
      "decode", "toy", std::string("model: ") + kDeepModel + ", inference: {batch: 1, prompt: 1024, output: 128}"));
  EXPECT_GT(few.makespan, alone);
  EXPECT_LT(few.makespan, 2.0 * alone) << "each stage has its own start";
}

TEST_F(ParallelInference, APromptsBubbleIsThatOfItsMicroBatches) {
  // Four stages and four micro-batches: 4 + 3 times a stage, of which a chip works four.
  const report::StepReport four = total(text("prefill", "tp: 2, pp: 4", "{batch: 64, prompt: 1024, output: 1}"));
  EXPECT_NEAR(four.breakdown.bubble / four.makespan, 3.0 / 7, 0.06);
}

TEST_F(ParallelInference, ContextRanksShareALongPromptAndALongCache) {
  const std::string lengthy = "{batch: 1, prompt: 65536, output: 8}";
  EXPECT_LT(time(text("prefill", "tp: 2, cp: 4", lengthy)), 0.5 * time(text("prefill", "tp: 2", lengthy)));
  const auto core = [&](const std::string& parallelism) {
    for (const report::OpTotal& op : total(text("decode", parallelism, "{batch: 8, prompt: 65536, output: 8}")).ops)
      if (op.name == "layers.0.attention.core") return op.time;
    return Seconds(0);
  };
  EXPECT_LT(core("tp: 2, cp: 4"), 0.4 * core("tp: 2"));
}

TEST_F(ParallelInference, AStageNeedsRoomForItsLayersAlone) {
  const auto bytes = [&](const std::string& parallelism) {
    return predict(text("generate", parallelism)).evaluation.memory->kv_cache;
  };
  EXPECT_DOUBLE_EQ(bytes("pp: 4") / bytes("tp: 1"), 0.25);
  EXPECT_DOUBLE_EQ(bytes("cp: 4") / bytes("tp: 1"), 0.25);
}

TEST_F(ParallelInference, WhatCannotBeSaysSo) {
  EXPECT_THAT(prediction_mistake(text("decode", "pp: 32")), HasSubstr("16 layers do not reach for 32 stages"));
  EXPECT_THAT(prediction_mistake(text("prefill", "cp: 8", "{batch: 1, prompt: 8, output: 1}")),
              HasSubstr("a prompt of 8 tokens cannot be shared by 8 ranks"));
  EXPECT_THAT(predict(text("decode", "dp: 8, sp: true")).warnings, testing::Contains(HasSubstr("tp is 1")));
}

}  // namespace
}  // namespace mlosim::predict
