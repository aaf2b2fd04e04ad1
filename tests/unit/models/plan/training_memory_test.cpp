#include "models/plan/training_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/models/plan/models.hpp"

namespace mlosim::plan {
namespace {

using testing::ElementsAre;
using work::DType;

Bytes gibibytes(double n) { return Bytes(n * 1024 * 1024 * 1024); }

// Models and layouts of Korthikanti et al., arXiv:2205.05198, table 3: sequences of 2048, vocabulary of 51,200.
struct Megatron {
  std::string name;
  std::int64_t hidden, layers, heads;
  std::int64_t micro_batch, tp, pp, virtual_stages;
};

const Megatron k22B{"22B", 6144, 48, 64, 4, 8, 1, 1};
const Megatron k175B{"175B", 12288, 96, 96, 1, 8, 8, 3};
const Megatron k530B{"530B", 20480, 105, 128, 1, 8, 35, 3};
const Megatron k1T{"1T", 25600, 128, 160, 1, 8, 64, 1};

graph::ModelSpec gpt(const Megatron& m) {
  return read_model("{name: gpt, layers: " + std::to_string(m.layers) + ", hidden: " + std::to_string(m.hidden) +
                    ", heads: " + std::to_string(m.heads) + ", kv_heads: " + std::to_string(m.heads) +
                    ", ffn: " + std::to_string(4 * m.hidden) +
                    ", gated: false, activation: gelu, norm: layer, biases: true, positions: 2048,"
                    " tied_embeddings: true, vocab: 51200}");
}

graph::TrainingOptions megatron_options(graph::Recompute::Policy policy) {
  graph::TrainingOptions options;
  options.fused_attention = false;
  options.dropout = true;
  options.fuses_cross_entropy = false;
  options.recompute.policy = policy;
  return options;
}

struct Setting {
  graph::Recompute::Policy policy = graph::Recompute::Policy::none;
  bool sp = false;
  bool with_ends = true;  // embedding and head
};

ScheduleShape shape_of(const Megatron& m) {
  return {.kind = m.virtual_stages > 1 ? ScheduleKind::interleaved : ScheduleKind::one_f_one_b,
          .pp = m.pp,
          .micro_batches = 1024 * m.pp,
          .virtual_stages = m.virtual_stages};
}

TrainingMemoryPlan plan_of(const graph::TrainingGraph& graph, const TrainingParallelism& p,
                           const std::vector<StageShare>& stages, const StageSetting& setting = {},
                           Bytes capacity = gibibytes(80)) {
  std::vector<BlockMemory> blocks;
  for (const graph::TrainingBlock& block : graph.blocks) blocks.push_back(memory_of(block, p));
  return plan_training_memory(blocks, stages, p, setting, capacity);
}

// Of one stage with all layers, one micro-batch in flight.
StageMemory whole(const graph::TrainingGraph& graph, const TrainingParallelism& p = {}) {
  return plan_of(graph, p, shares_of(graph, {})).stages.front();
}

// Of the first stage, whose schedule keeps most micro-batches.
TrainingMemoryPlan plan(const Megatron& m, const Setting& setting, TrainingParallelism p = {}) {
  const graph::ModelSpec model = gpt(m);
  p.tp = m.tp;
  p.pp = m.pp;
  p.sp = setting.sp;
  const graph::TrainingGraph graph = graph::build_training_graph(
      model, {.micro_batch = m.micro_batch, .sequence = 2048, .cp = 1},
      {.weights = DType::fp16, .activations = DType::fp16, .compute = DType::fp16}, megatron_options(setting.policy));
  std::vector<StageShare> stages = shares_of(graph, shape_of(m));
  if (!setting.with_ends) {
    for (StageShare& stage : stages) stage.counts.front() = stage.counts.back() = 0;
  }
  return plan_of(graph, p, stages, {.tied_table = 51200. * static_cast<double>(m.hidden)});
}

double in_gib(Bytes bytes) { return bytes / gibibytes(1); }

// What one layer recomputes comes and goes: the published figures leave it out.
double kept_gib(const Megatron& m, const Setting& setting) {
  const graph::TrainingGraph graph = graph::build_training_graph(
      gpt(m), {.micro_batch = m.micro_batch, .sequence = 2048, .cp = 1},
      {.weights = DType::fp16, .activations = DType::fp16, .compute = DType::fp16}, megatron_options(setting.policy));
  Bytes recomputed;
  for (const graph::KeptTensor& tensor : graph.blocks[1].recomputed) recomputed += tensor.of_rank(m.tp, setting.sp, 1);
  return in_gib(plan(m, setting).stages.front().activations - recomputed);
}

// The same paper, figure 7 as calculon's validation.py has it: weights, gradients and Adam's states of a rank's layers
// at 18 bytes a parameter.
TEST(TrainingMemory, OfParametersAndOptimiserIsAsPublishedForMegatron) {
  const auto states = [](const Megatron& m) {
    const StageMemory stage = plan(m, {.with_ends = false}).stages.front();
    return in_gib(stage.weights + stage.gradients + stage.optimizer);
  };
  EXPECT_NEAR(states(k22B), 45.56, 0.02);
  EXPECT_NEAR(states(k175B), 45.56, 0.02);
  EXPECT_NEAR(states(k530B), 31.64, 0.02);
  EXPECT_NEAR(states(k1T), 32.96, 0.02);
}

TEST(TrainingMemory, OfActivationsIsAsPublishedForMegatron) {
  const Setting none{.with_ends = false};
  EXPECT_NEAR(kept_gib(k22B, none), 59.25, 0.01);
  EXPECT_NEAR(kept_gib(k175B, none), 66.84, 0.01);
  EXPECT_NEAR(kept_gib(k530B, none), 114.0, 0.05);
  EXPECT_NEAR(kept_gib(k1T, none), 131.25, 0.01);
}

TEST(TrainingMemory, OfActivationsWithSequenceParallelismAndSelectiveRecomputationIsAsPublishedForMegatron) {
  const Setting selective{.policy = graph::Recompute::Policy::selective, .sp = true, .with_ends = false};
  EXPECT_NEAR(kept_gib(k22B, selective), 9.56, 0.01);
  EXPECT_NEAR(kept_gib(k175B, selective), 12.35, 0.01);
  EXPECT_NEAR(kept_gib(k530B, selective), 23.08, 0.01);
  EXPECT_NEAR(kept_gib(k1T, selective), 26.56, 0.01);
}

// Section 4.3 of the paper: the embedding's masks for every micro-batch in flight, and on the last stage the head's
// tensors once.
TEST(TrainingMemory, OfTheEndsIsAddedToTheirStages) {
  const Setting sp{.policy = graph::Recompute::Policy::selective, .sp = true, .with_ends = true};
  Setting without = sp;
  without.with_ends = false;
  const TrainingMemoryPlan with_ends = plan(k1T, sp), layers = plan(k1T, without);
  const double sbh = 2048. * 25600;
  EXPECT_NEAR((with_ends.stages.front().activations - layers.stages.front().activations).si(), sbh * 64 / 8, 1);
  EXPECT_NEAR((with_ends.stages.back().activations - layers.stages.back().activations).si(),
              2048. * (4 * 25600 + 4. * 51200) / 8, 1);
  // A tied embedding has a copy on the last stage, with its gradient and states.
  EXPECT_NEAR((with_ends.stages.back().weights - layers.stages.back().weights).si(),
              2 * (51200. * 25600 + 2 * 25600) / 8, 1);
}

TEST(TrainingMemory, EarlierStagesOf1F1BHoldMoreMicroBatches) {
  const graph::TrainingGraph graph = graph::build_training_graph(gpt(k22B), {.sequence = 2048}, {}, {});
  const std::vector<StageShare> stages = shares_of(graph, {.pp = 4, .micro_batches = 6});
  std::vector<double> in_flight;
  for (const StageShare& stage : stages) in_flight.push_back(stage.in_flight);
  EXPECT_THAT(in_flight, ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(stages.front().counts, ElementsAre(1, 12, 0));
  EXPECT_THAT(stages.back().counts, ElementsAre(0, 12, 1));
}

TEST(TrainingMemory, InterleavedStagesKeepMoreByTheirExtraWarmUp) {
  const graph::TrainingGraph graph = graph::build_training_graph(gpt(k22B), {.sequence = 2048}, {}, {});
  const ScheduleShape shape{.kind = ScheduleKind::interleaved, .pp = 4, .micro_batches = 8, .virtual_stages = 2};
  EXPECT_DOUBLE_EQ(shares_of(graph, shape).front().in_flight, 4 * (1 + 3. / 8));
}

// What was recomputed for the input gradients waits for weight gradients that are put off; without, one layer's does.
TEST(TrainingMemory, WeightGradientsThatArePutOffHoldWhatWasRecomputedForThem) {
  const graph::TrainingGraph graph = graph::build_training_graph(
      gpt(k22B), {.sequence = 2048}, {}, {.recompute = {.policy = graph::Recompute::Policy::full}});
  const TrainingParallelism p;
  std::vector<BlockMemory> blocks;
  for (const graph::TrainingBlock& block : graph.blocks) blocks.push_back(memory_of(block, p));
  EXPECT_GT(blocks[1].put_off, Bytes(0));
  EXPECT_LT(blocks[1].put_off, blocks[1].recomputed) << "scores are of no weight's gradient";
  const auto activations = [&](ScheduleKind kind) {
    const ScheduleShape shape{.kind = kind, .pp = 4, .micro_batches = 8};
    return stage_memory(blocks, shares_of(graph, shape)[1], p, {}).activations;
  };
  EXPECT_NEAR(
      (activations(ScheduleKind::zero_bubble) - activations(ScheduleKind::one_f_one_b)) / (12 * blocks[1].put_off),
      2 + blocks[1].kept / blocks[1].put_off, 1e-9)
      << "rank 1 puts two micro-batches off, and keeps the input of one more";
}

TEST(TrainingMemory, ZeroShardsTheOptimiserThenGradientsThenWeights) {
  std::vector<StageMemory> stages;
  for (const ZeroStage zero : {ZeroStage::none, ZeroStage::optimizer, ZeroStage::gradients, ZeroStage::parameters})
    stages.push_back(plan(k22B, {}, {.dp = 16, .zero = zero}).stages.front());
  EXPECT_NEAR(stages[1].optimizer / stages[0].optimizer, 1. / 16, 1e-9);
  EXPECT_EQ(stages[1].gradients, stages[0].gradients);
  EXPECT_LT(stages[2].gradients, stages[1].gradients * 0.15);
  EXPECT_EQ(stages[2].weights, stages[1].weights);
  EXPECT_LT(stages[3].weights, stages[2].weights * 0.15);
  EXPECT_GT(stages[3].weights, stages[2].weights / 16);  // the gathered blocks
}

TEST(TrainingMemory, ExpertsAreSpreadOverTheirOwnRanks) {
  const graph::ModelSpec model = moe_model();
  const graph::TrainingGraph graph = graph::build_training_graph(model, {.sequence = 32}, {}, {});
  const auto weights = [&](std::int64_t ep) { return whole(graph, {.dp = 8, .ep = ep}).weights; };
  const double experts = graph::count_parameters(model).experts;
  EXPECT_NEAR((weights(1) - weights(8)).si(), 2 * experts * 7 / 8, 1);
}

TEST(TrainingMemory, OffloadedTensorsLeaveTheChip) {
  const graph::ModelSpec model = llama_70b();
  graph::TrainingOptions options;
  options.recompute.policy = graph::Recompute::Policy::full;
  const auto activations = [&] {
    return whole(graph::build_training_graph(model, {.sequence = 8192}, {}, options)).activations;
  };
  const Bytes on_chip = activations();
  options.recompute.offload = true;
  const Bytes layer_input(2 * 8192. * 8192);
  EXPECT_NEAR((on_chip - activations()) / ((80 - 2) * layer_input), 1, 1e-12);
}

TEST(TrainingMemory, SaysWhichStageNeedsMostAndHowMuchIsMissing) {
  const TrainingMemoryPlan tight = plan(k175B, {});
  EXPECT_EQ(tight.worst, 0U);
  EXPECT_FALSE(tight.fits());
  EXPECT_EQ(tight.missing(), tight.peak().total() - tight.capacity);
  const graph::TrainingGraph graph = graph::build_training_graph(dense_model(), {.sequence = 32}, {}, {});
  const TrainingMemoryPlan roomy = plan_of(graph, {}, shares_of(graph, {}), {}, gibibytes(1));
  EXPECT_TRUE(roomy.fits());
  EXPECT_EQ(roomy.missing(), Bytes(0));
}

TEST(NearestFitting, ListsTheCheapestChangesFirstAndNoneOnTopOfOneThatFits) {
  const TrainingLayout given{.tp = 2, .pp = 1, .dp = 8, .sp = false, .micro_batch = 4, .zero = 0, .recompute = {}};
  const auto total_of = [](const TrainingLayout& layout) -> std::optional<Bytes> {
    if (layout.tp > 4) return std::nullopt;
    return Bytes(40. / static_cast<double>(layout.tp) * 2 / static_cast<double>(layout.pp) +
                 40. * static_cast<double>(layout.micro_batch) / 4);
  };
  const std::vector<FittingLayout> fitting = nearest_fitting(given, Bytes(60), 3, total_of);
  ASSERT_EQ(fitting.size(), 3U);
  EXPECT_EQ(fitting[0].change, "micro_batch: 2");
  EXPECT_EQ(fitting[0].total, Bytes(60));
  EXPECT_EQ(fitting[1].change, "pp: 2, dp: 4");
  EXPECT_EQ(fitting[2].change, "tp: 4, dp: 4");
}

TEST(NearestFitting, IsEmptyWhereNothingFits) {
  const TrainingLayout given{.tp = 1, .pp = 1, .dp = 4, .sp = false, .micro_batch = 2, .zero = 1, .recompute = {}};
  EXPECT_TRUE(nearest_fitting(given, Bytes(1), 3, [](const TrainingLayout&) { return Bytes(2); }).empty());
}

TEST(NearestFitting, NeverSharesOutMoreReplicasThanThereAre) {
  const TrainingLayout given{.tp = 1, .pp = 1, .dp = 2, .sp = false, .micro_batch = 1, .zero = 0, .recompute = {}};
  nearest_fitting(given, Bytes(1), 100, [](const TrainingLayout& layout) -> std::optional<Bytes> {
    EXPECT_EQ(layout.tp * layout.pp * layout.dp, 2);
    EXPECT_LE(layout.zero, 3);
    return Bytes(2);
  });
}

}  // namespace
}  // namespace mlosim::plan
