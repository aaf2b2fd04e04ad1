// What a training step costs beside its layers: what all chips draw, messages between stages, exchanges of data
// parallelism once a step. In closed form and played.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "models/predict/predict.hpp"
#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::predict {
namespace {

using chip::Fidelity;

class StepCostTest : public testing::TestWithParam<Fidelity>, protected Desk {
 protected:
  Evaluation step(const std::string& parallelism, const std::string& train = "", const std::string& rest = "") {
    return predict_with(
               workload_text("train", "toy_8",
                             "model: {layers: 8, hidden: 1024, heads: 16, ffn: 4096, vocab: 32000}, runtime: trainer, "
                             "parallelism: {" +
                                 parallelism + "}, train: {global_batch: 64, sequence: 1024" + train + "}" + rest),
               {}, GetParam())
        .evaluation;
  }

  static const report::OpTotal* find(const Evaluation& e, const std::string& name) {
    for (const report::OpTotal& op : e.total.ops) {
      if (op.name == name) return &op;
    }
    return nullptr;
  }
};

Joules matrix_energy(const Evaluation& e) {
  Joules sum;
  for (const Joules own : e.total.energy_parts.matrix) sum += own;
  return sum;
}

TEST_P(StepCostTest, TheWorkOfAStepIsThatOfAllChipsHoweverTheyShareIt) {
  const Evaluation one = step("dp: 8, zero: 1");
  for (const char* parallelism :
       {"pp: 4, dp: 2, zero: 1", "pp: 8, zero: 1", "pp: 4, dp: 2, zero: 1, virtual_stages: 2",
        "pp: 4, dp: 2, zero: 1, schedule: zero_bubble, zero_bubble: v", "pp: 4, dp: 2, zero: 1, schedule: dualpipe"}) {
    const Evaluation e = step(parallelism);
    EXPECT_NEAR(matrix_energy(e) / matrix_energy(one), 1, 1e-9) << parallelism;
    const bool repeats_optimizer = std::string(parallelism).ends_with("dualpipe");
    EXPECT_NEAR(e.total.device_bytes / one.total.device_bytes, 1, repeats_optimizer ? 0.05 : 1e-3) << parallelism;
  }
}

TEST_P(StepCostTest, EveryChipDrawsItsStaticPowerAllTheTime) {
  const Watts idle = small.hardware("toy_8").system.chip.power.static_power();
  for (const char* parallelism : {"dp: 8, zero: 3", "pp: 8", "pp: 4, dp: 2, schedule: dualpipe"}) {
    const Evaluation e = step(parallelism);
    EXPECT_NEAR((e.total.energy - e.total.energy_parts.in_chip()) / (idle * e.total.makespan), 1, 1e-9) << parallelism;
  }
}

TEST_P(StepCostTest, ExchangesOnceAStepAreThoseOfAllChunks) {
  const auto exchanged = [&](const std::string& more) {
    const Evaluation e = step("pp: 2, dp: 4, zero: 1" + more);
    Seconds sum;
    for (const report::OpTotal& op : e.total.ops) {
      if (op.name.ends_with("parameters.gather") || op.name.ends_with("gradients.reduce")) sum += op.time;
    }
    return sum;
  };
  const Seconds plain = exchanged("");
  EXPECT_GT(plain, Seconds(0));
  EXPECT_NEAR(exchanged(", virtual_stages: 2") / plain, 1, 1e-9);
  EXPECT_NEAR(exchanged(", virtual_stages: 4") / plain, 1, 1e-9);
  EXPECT_GT(exchanged(", schedule: zero_bubble, zero_bubble: v"), plain) << "the first rank has both ends";
  EXPECT_GT(exchanged(", schedule: dualpipe"), 1.5 * plain) << "a rank holds two stages";
}

TEST_P(StepCostTest, LaterChunksHideTheirExchangesBesideTheChunkBefore) {
  const auto exposed = [&](const std::string& virtual_stages, const std::string& overlap) {
    return step("pp: 4, dp: 2, zero: 1, virtual_stages: " + virtual_stages,
                ", overlap: {grad_reduce: " + overlap + ", param_gather: " + overlap + "}")
        .total.breakdown.communication_exposed;
  };
  EXPECT_LT(exposed("2", "true"), exposed("2", "false"));
}

TEST_P(StepCostTest, CommunicationIsThatOfTheListedCollectives) {
  for (const char* parallelism : {"dp: 8", "dp: 8, zero: 1", "pp: 4, dp: 2, zero: 1", "pp: 8",
                                  "pp: 2, dp: 4, zero: 1, virtual_stages: 2", "pp: 4, dp: 2, schedule: dualpipe"}) {
    const Evaluation e = step(parallelism);
    Seconds listed;
    for (const report::OpTotal& op : e.total.ops) {
      if (op.is_collective) listed += op.time;
    }
    // The last rank of a pipeline has the head, and its reduction may take longest; another may be the fullest.
    EXPECT_NEAR(listed / e.total.communication_total, 1, 0.02) << parallelism;
    EXPECT_LE(e.total.breakdown.communication_exposed, e.total.communication_total) << parallelism;
  }
}

TEST_P(StepCostTest, MessagesAreCommunicationOfWhoSendsThem) {
  const Evaluation e = step("pp: 4, dp: 2, zero: 1");
  const report::OpTotal* sent = find(e, "gradients.send");
  ASSERT_NE(sent, nullptr) << "the last rank, which has the head, is the fullest";
  EXPECT_EQ(find(e, "activations.send"), nullptr) << "and has nobody to send activations to";
  EXPECT_EQ(sent->count, 32);
  EXPECT_TRUE(sent->is_collective);
  EXPECT_GT(e.total.breakdown.communication_exposed, Seconds(0));
  EXPECT_GT(e.total.breakdown.bubble, Seconds(0));
  EXPECT_EQ(find(step("dp: 8"), "gradients.send"), nullptr);
}

TEST_P(StepCostTest, CopiesOfAStageAreAddedUpUnderDualpipe) {
  const Evaluation e = step("pp: 4, dp: 2, schedule: dualpipe");
  const report::OpTotal* sum = find(e, "gradients.reduce_copies");
  ASSERT_NE(sum, nullptr);
  EXPECT_EQ(sum->count, 1);
  EXPECT_GT(sum->time, Seconds(0));
}

TEST_P(StepCostTest, WhatIsNotOverlappedIsExposedInLayersToo) {
  const auto run = [&](const std::string& zero, const std::string& overlap) {
    return step("dp: 8, zero: " + zero, ", overlap: {" + overlap + "}").total;
  };
  for (const char* zero : {"2", "3"}) {
    const report::StepReport all = run(zero, "grad_reduce: true, param_gather: true");
    const report::StepReport neither = run(zero, "grad_reduce: false, param_gather: false");
    EXPECT_LT(all.breakdown.communication_exposed, 0.9 * neither.breakdown.communication_exposed) << zero;
    EXPECT_NEAR(neither.breakdown.communication_exposed / neither.communication_total, 1, 0.01) << zero;
    const Seconds one = run(zero, "grad_reduce: false, param_gather: true").makespan;
    EXPECT_GT(one, all.makespan) << zero;
    EXPECT_LT(one, neither.makespan) << zero;
  }
  // A gather that is not begun ahead waits behind the reduction before it: both go through one queue.
  EXPECT_LE(run("3", "grad_reduce: true, param_gather: false").makespan,
            run("3", "grad_reduce: false, param_gather: false").makespan);
}

TEST_P(StepCostTest, ASlowRankHoldsUpTheEndOfTheStep) {
  const Evaluation even = step("dp: 8"),
                   slow = step("dp: 8", "", ", reality: {stragglers: [{rank: 3, slowdown: 1.5}]}");
  const report::TimeBreakdown& parts = even.total.breakdown;
  const Seconds exchanged = parts.communication_exposed, host = Seconds(1e-3);
  EXPECT_NEAR((slow.total.makespan - even.total.makespan) / (0.5 * (even.total.makespan - exchanged - host)), 1, 0.01);
}

INSTANTIATE_TEST_SUITE_P(InBothForms, StepCostTest, testing::Values(Fidelity::analytic, Fidelity::event),
                         [](const auto& form) { return form.param == Fidelity::event ? "played" : "closed"; });

}  // namespace
}  // namespace mlosim::predict
