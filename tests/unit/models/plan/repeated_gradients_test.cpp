// The gradients of weights that tensor parallelism repeats, added up under sequence parallelism.
#include <gtest/gtest.h>

#include "models/plan/training_states.hpp"
#include "tests/unit/models/plan/models.hpp"

namespace mlosim::plan {
namespace {

graph::TrainingGraph graph_of(const graph::ModelSpec& model, const graph::TrainingOptions& options = {}) {
  return graph::build_training_graph(model, {.micro_batch = 2, .sequence = 64}, {}, options);
}

TEST(RepeatedParameters, OfADenseLayerAreItsNorms) {
  const graph::TrainingGraph graph = graph_of(dense_model());
  EXPECT_EQ(Parameters::of(graph.blocks[1]).repeated, 2 * 64) << "two norms over 64";
  EXPECT_EQ(Parameters::of(graph.blocks[0]).repeated, 0) << "the embedding is cut by vocabulary";
  EXPECT_EQ(Parameters::of(graph.blocks.back()).repeated, 64) << "the final norm";
}

TEST(RepeatedParameters, OfExpertsIsTheRouter) {
  const graph::TrainingGraph graph = graph_of(moe_model());
  EXPECT_EQ(Parameters::of(graph.blocks[2]).repeated - Parameters::of(graph.blocks[1]).repeated, 64 * 8);
}

TEST(RepeatedParameters, OfALatentAreItsDownProjections) {
  const graph::ModelSpec model = read_model(
      "{name: l, layers: 1, hidden: 64, heads: 8, ffn: 96, vocab: 1000, attention: {mla: {q_rank: 24, kv_rank: 16, "
      "nope_dim: 8, rope_dim: 4, v_dim: 8}}}");
  const graph::TrainingGraph graph = graph_of(model);
  EXPECT_EQ(Parameters::of(graph.blocks[1]).repeated, 64 * (24 + 16 + 4) + (24 + 16) + 2 * 64);
}

TEST(RepeatedParameters, OfAdaptersAreNotTrained) {
  const graph::TrainingGraph graph = graph_of(moe_model(), {.trains_weights = false});
  EXPECT_LT(Parameters::of(graph.blocks[2]).repeated, 64 * 8) << "no router's gradient";
}

TEST(RepeatedGradientSums, AreOneMessageAStepOverTensorRanks) {
  const graph::TrainingGraph graph = graph_of(dense_model());
  Parameters own;
  for (const std::uint32_t block : {0, 1, 1, 1, 1, 2}) own.add(Parameters::of(graph.blocks[block]), 1);
  TrainingParallelism p;
  p.tp = 4;
  EXPECT_TRUE(repeated_gradient_sums(own, p, work::DType::fp32).empty()) << "all ranks saw all tokens";
  p.sp = true;
  const std::vector<work::Collective> sums = repeated_gradient_sums(own, p, work::DType::fp32);
  ASSERT_EQ(sums.size(), 1U);
  EXPECT_EQ(sums[0].kind, work::CollectiveKind::all_reduce);
  EXPECT_EQ(sums[0].ranks, 4);
  EXPECT_EQ(sums[0].stride, 1);
  EXPECT_DOUBLE_EQ(sums[0].bytes.si(), (4 * 2 * 64 + 64) * 4);
  p.tp = 1;
  EXPECT_TRUE(repeated_gradient_sums(own, p, work::DType::fp32).empty());
}

}  // namespace
}  // namespace mlosim::plan
