#include "models/plan/stage_layers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/models/plan/models.hpp"

namespace mlosim::plan {
namespace {

using testing::ElementsAre;

std::vector<std::int64_t> split(std::int64_t stages, std::int64_t layers) {
  std::vector<std::int64_t> counts;
  for (const StageLayers& stage : deal_layers(layers, stages)) counts.push_back(stage.end - stage.first);
  return counts;
}

TEST(StageLayers, LayersThatDoNotDivideLeaveOneLessAtTheEnds) {
  EXPECT_THAT(split(4, 8), ElementsAre(2, 2, 2, 2));
  EXPECT_THAT(split(4, 7), ElementsAre(2, 2, 2, 1));
  EXPECT_THAT(split(4, 6), ElementsAre(1, 2, 2, 1));
  EXPECT_THAT(split(4, 5), ElementsAre(1, 2, 1, 1));
  EXPECT_EQ(split(16, 126).front(), 7);
  EXPECT_EQ(split(16, 126)[1], 8);
  EXPECT_EQ(split(16, 126).back(), 7);
}

TEST(StageLayers, EndsMayBeStagesOfTheirOwn) {
  EXPECT_THAT(split(6, 4), ElementsAre(0, 1, 1, 1, 1, 0));
  EXPECT_THAT(split(2, 3), ElementsAre(2, 1));
}

TEST(StageLayers, BlocksFollowInTheOrderOfTheForwardPass) {
  const graph::TrainingGraph graph = graph::build_training_graph(moe_model(), {.sequence = 32}, {}, {});
  const auto last = static_cast<std::uint32_t>(graph.blocks.size() - 1);
  const auto layers = static_cast<std::int64_t>(graph.block_of_layer.size());
  std::vector<std::uint32_t> all{0};
  all.insert(all.end(), graph.block_of_layer.begin(), graph.block_of_layer.end());
  all.push_back(last);
  EXPECT_EQ(blocks_of(graph, deal_layers(layers, 1).front()), all);
  EXPECT_EQ(blocks_of(graph, deal_layers(layers, 2).back()).back(), last);
}

}  // namespace
}  // namespace mlosim::plan
