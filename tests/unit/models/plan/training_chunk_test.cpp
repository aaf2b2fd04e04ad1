// The collectives that tensor, sequence and expert parallelism put into a chunk of a training step.
#include "models/plan/training_chunk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/unit/models/plan/models.hpp"

namespace mlosim::plan {
namespace {

using testing::Contains;
using testing::Not;
using work::Collective;
using work::CollectiveKind;

constexpr double kTokens = 2 * 64, kHidden = 64, kElement = 2;

// One layer, forwards or backwards. Block 1 of moe_model is dense, block 2 has experts.
machine::Program layer(const graph::ModelSpec& model, const TrainingParallelism& p, bool backward,
                       std::uint32_t block = 1, const spec::TrainingRuntime& runtime = {}) {
  const graph::TrainingGraph graph = graph::build_training_graph(model, {.micro_batch = 2, .sequence = 64}, {}, {});
  return plan_training_chunk(graph, {.blocks = {block}, .backward = backward}, p, {}, runtime, 8);
}

std::vector<std::string> collectives(const machine::Program& program) {
  std::vector<std::string> names;
  for (const machine::Task& task : program.tasks) {
    const machine::ProgramOp& op = program.ops[task.op];
    if (std::holds_alternative<Collective>(op.op)) names.push_back(op.name);
  }
  return names;
}

const Collective& collective(const machine::Program& program, const std::string& name) {
  for (const machine::ProgramOp& op : program.ops) {
    if (op.name == name) return std::get<Collective>(op.op);
  }
  throw std::out_of_range(name);
}

TrainingParallelism degrees(std::int64_t tp, bool sp, std::int64_t ep = 1, std::int64_t moe_tp = 1) {
  TrainingParallelism p;
  p.tp = tp, p.sp = sp, p.ep = ep, p.moe_tp = moe_tp;
  p.dp = std::max<std::int64_t>(1, ep * moe_tp / tp);
  return p;
}

TEST(TrainingChunk, TensorParallelLayersAreReducedTwiceInEachDirection) {
  EXPECT_THAT(collectives(layer(dense_model(), degrees(4, false), false)),
              testing::ElementsAre("layers.0.attention.out.all_reduce", "layers.0.mlp.down.all_reduce"));
  EXPECT_THAT(collectives(layer(dense_model(), degrees(4, false), true)),
              testing::ElementsAre("backward.layers.0.mlp.gate_up.dgrad.all_reduce",
                                   "backward.layers.0.attention.qkv.dgrad.all_reduce"));
}

// Korthikanti et al., arXiv:2205.05198: the tensors that the layer keeps are parts, so their gradients take two gathers
// more than the forward pass.
TEST(TrainingChunk, SequenceParallelLayersGatherInputsAgainForTheirWeightGradients) {
  EXPECT_THAT(collectives(layer(dense_model(), degrees(4, true), false)),
              testing::ElementsAre("layers.0.attention.qkv.all_gather", "layers.0.attention.out.reduce_scatter",
                                   "layers.0.mlp.gate_up.all_gather", "layers.0.mlp.down.reduce_scatter"));
  const machine::Program backward = layer(dense_model(), degrees(4, true), true);
  EXPECT_THAT(collectives(backward), testing::ElementsAre("backward.layers.0.mlp.down.dgrad.all_gather",
                                                          "backward.layers.0.mlp.gate_up.dgrad.reduce_scatter",
                                                          "backward.layers.0.mlp.gate_up.wgrad.all_gather",
                                                          "backward.layers.0.attention.out.dgrad.all_gather",
                                                          "backward.layers.0.attention.qkv.dgrad.reduce_scatter",
                                                          "backward.layers.0.attention.qkv.wgrad.all_gather"));
  for (const char* name :
       {"backward.layers.0.mlp.gate_up.wgrad.all_gather", "backward.layers.0.attention.qkv.wgrad.all_gather"})
    EXPECT_DOUBLE_EQ(collective(backward, name).bytes.si(), kTokens * kHidden * kElement) << name;
}

TEST(TrainingChunk, WhatIsGatheredAgainMayRunBesideAProduct) {
  spec::TrainingRuntime runtime;
  runtime.regather_exposed = 0.25;
  const machine::Program backward = layer(dense_model(), degrees(4, true), true, 1, runtime);
  int found = 0;
  for (const machine::Task& task : backward.tasks) {
    if (!backward.ops[task.op].name.ends_with("wgrad.all_gather")) continue;
    ++found;
    EXPECT_DOUBLE_EQ(task.exposed, 0.25);
    EXPECT_DOUBLE_EQ(task.hidden, 0.75);
  }
  EXPECT_EQ(found, 2);
}

TEST(TrainingChunk, SharedExpertsAreReducedOnTheirOwn) {
  for (const std::int64_t moe_tp : {1, 4}) {
    const TrainingParallelism p = degrees(4, true, 4 / moe_tp * 2, moe_tp);
    EXPECT_THAT(collectives(layer(moe_model(), p, false, 2)), Contains("layers.1.moe.shared.down.reduce_scatter"));
    EXPECT_THAT(collectives(layer(moe_model(), p, true, 2)),
                Contains("backward.layers.1.moe.shared.gate_up.dgrad.reduce_scatter"));
  }
}

TEST(TrainingChunk, TokensThatComeBackFromExpertsGoToAllTensorRanksUnlessTheSequenceIsCut) {
  const std::string gathered = "layers.1.moe.experts.tokens.all_gather";
  const machine::Program whole = layer(moe_model(), degrees(4, false, 8), false, 2);
  EXPECT_THAT(collectives(whole), Contains("layers.1.moe.experts.combine"));
  ASSERT_THAT(collectives(whole), Contains(gathered));
  EXPECT_EQ(collective(whole, gathered).ranks, 4);
  EXPECT_DOUBLE_EQ(collective(whole, gathered).bytes.si(), kTokens * kHidden * kElement);
  EXPECT_THAT(collectives(layer(moe_model(), degrees(4, true, 8), false, 2)), Not(Contains(gathered)));
}

TEST(TrainingChunk, ExpertsThatAreCutWithTheLayerHaveAllTokensAlready) {
  const std::vector<std::string> names = collectives(layer(moe_model(), degrees(4, false, 1, 4), false, 2));
  EXPECT_THAT(names, Not(Contains("layers.1.moe.experts.all_gather")));
  EXPECT_THAT(names, Contains("layers.1.moe.experts.reduce_scatter"));
  EXPECT_THAT(names, Contains("layers.1.moe.experts.tokens.all_gather")) << "together an all-reduce";
}

// Two of eight experts: a token goes to 8·(1 − (7/8)²) of eight ranks, and each rank of a cut expert needs those of
// all.
TEST(TrainingChunk, RanksThatShareAnExpertGatherAllTokensThatArriveForIt) {
  const machine::Program program = layer(moe_model(), degrees(2, true, 8, 2), false, 2);
  const Collective& sent = collective(program, "layers.1.moe.experts.dispatch");
  const Collective& shared = collective(program, "layers.1.moe.experts.all_gather");
  EXPECT_NEAR(sent.bytes.si(), kTokens / 2 * 8 * (1 - 49. / 64) * kHidden * kElement, 1);
  EXPECT_DOUBLE_EQ(shared.bytes.si(), 2 * sent.bytes.si());
}

}  // namespace
}  // namespace mlosim::plan
