#include "models/plan/inference_stages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <string>

#include "sim/machine/play_pipeline.hpp"
#include "tests/unit/models/plan/models.hpp"

namespace mlosim::plan {
namespace {

using testing::ElementsAre;

std::vector<std::string> names_of(const graph::Graph& graph, const InferenceStage& stage) {
  std::vector<std::string> names;
  for (const std::uint32_t block : stage.blocks) names.push_back(graph.blocks[block].name);
  return names;
}

graph::Graph graph_of(const graph::ModelSpec& model) {
  return graph::build_inference_graph(model, {.batch = 1, .new_tokens = 1, .context = 8, .decode = true}, {}, {});
}

TEST(InferenceStages, TheMiddleTakesTheLayersThatAreOver) {
  EXPECT_THAT(layers_of_stages(80, 1), ElementsAre(80));
  EXPECT_THAT(layers_of_stages(80, 4), ElementsAre(20, 20, 20, 20));
  EXPECT_THAT(layers_of_stages(126, 4), ElementsAre(31, 32, 32, 31));
  EXPECT_THAT(layers_of_stages(7, 4), ElementsAre(2, 2, 2, 1));
  EXPECT_THAT(layers_of_stages(3, 2), ElementsAre(2, 1));
}

TEST(InferenceStages, EveryLayerIsInOneStage) {
  for (std::int64_t layers = 1; layers < 40; ++layers) {
    for (std::int64_t stages = 1; stages <= layers; ++stages) {
      const std::vector<std::int64_t> counts = layers_of_stages(layers, stages);
      EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), layers);
      EXPECT_LE(*std::max_element(counts.begin(), counts.end()) - *std::min_element(counts.begin(), counts.end()), 1);
    }
  }
}

TEST(InferenceStages, TheEndsOfTheNetworkAreInTheFirstAndTheLast) {
  const graph::Graph graph = graph_of(moe_model());
  const std::vector<InferenceStage> stages = deal_stages(graph, 2);
  ASSERT_EQ(stages.size(), 2U);
  EXPECT_THAT(names_of(graph, stages[0]), ElementsAre("embedding", "layers.0", "layers.1"));
  EXPECT_THAT(names_of(graph, stages[1]), ElementsAre("layers.1", "layers.1", "head"));
  EXPECT_TRUE(stages[0].is_first && !stages[0].is_last && !stages[1].is_first && stages[1].is_last);
}

TEST(InferenceStages, AlternatingLayersStayInTheirOrder) {
  const graph::Graph graph = graph_of(read_model(
      "{name: a, layers: 6, hidden: 64, heads: 8, kv_heads: 2, head_dim: 8, ffn: 96, vocab: 1000, attention: {window: "
      "16, every: 3}}"));
  const std::vector<InferenceStage> stages = deal_stages(graph, 3);
  EXPECT_THAT(names_of(graph, stages[1]), ElementsAre("layers.2", "layers.0"));
}

TEST(MicroBatches, AreAsManyAsTheStagesOrAsTheSequences) {
  const auto of = [](std::int64_t batch, std::int64_t stages) {
    const MicroBatches m = MicroBatches::of(batch, stages);
    return std::pair(m.size, m.count);
  };
  EXPECT_EQ(of(64, 1), std::pair(64L, 1L));
  EXPECT_EQ(of(64, 4), std::pair(16L, 4L));
  EXPECT_EQ(of(1, 4), std::pair(1L, 1L));
  EXPECT_EQ(of(3, 4), std::pair(1L, 3L));
  EXPECT_EQ(of(9, 4), std::pair(3L, 3L)) << "three of three: the fourth would be empty";
}

// Stage s runs micro-batch m after it came from the stage before; in the next round after it left the last one.
Seconds played(const std::vector<Seconds>& stages, std::int64_t count, std::int64_t rounds) {
  machine::Pipeline pipeline;
  const auto tasks = static_cast<std::uint32_t>(count * rounds);
  for (std::uint32_t s = 0; s < stages.size(); ++s) {
    pipeline.first.push_back(s * tasks);
    pipeline.costs.push_back({.work = stages[s], .send = Seconds(0)});
    for (std::uint32_t i = 0; i < tasks; ++i) {
      const auto last = static_cast<std::uint32_t>(stages.size() - 1);
      std::uint32_t after = machine::kNoTask;
      if (s > 0) after = (s - 1) * tasks + i;
      if (s == 0 && i >= count) after = last * tasks + i - static_cast<std::uint32_t>(count);
      pipeline.tasks.push_back({.cost = s, .after = after});
    }
  }
  pipeline.first.push_back(static_cast<std::uint32_t>(pipeline.tasks.size()));
  return event::to_seconds(machine::play_pipeline(pipeline, machine::SendMode::blocking, {}, {}).makespan);
}

TEST(TimeThroughStages, IsThatOfAPlay) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> microseconds(1, 50), few(1, 6);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<Seconds> stages;
    for (int s = few(random); s > 0; --s) stages.push_back(microseconds(random) * Seconds(1e-6));
    const std::int64_t count = few(random);
    EXPECT_NEAR(time_through(stages, count) / played(stages, count, 1), 1, 1e-9);
    // A round in the long run.
    const Seconds round = (played(stages, count, 300) - played(stages, count, 200)) / 100.0;
    EXPECT_NEAR(time_of_round(stages, count) / round, 1, 1e-9);
  }
}

}  // namespace
}  // namespace mlosim::plan
