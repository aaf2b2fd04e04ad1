// The end of a training step on one rank, and what stages send one another.
#include "models/plan/step_end.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mlosim::plan {
namespace {

using testing::Contains;
using testing::Not;

const StepEnd kEnd{.own = {.dense = 800, .experts = 0, .repeated = 8}, .tied_table = 200};

std::vector<std::string> names_of(const TrainingParallelism& p) {
  std::vector<std::string> names;
  for (const machine::ProgramOp& op : plan_step_end(kEnd, p, {}).ops) names.push_back(op.name);
  return names;
}

TEST(StepEnd, CopiesOfAStageAddTheirGradientsUpUnderDualpipe) {
  TrainingParallelism p{.pp = 4, .dp = 2, .schedule = ScheduleKind::dualpipe};
  EXPECT_THAT(names_of(p), Contains("gradients.reduce_copies"));
  const std::vector<work::Collective> sums = copy_sums(kEnd.own, p, work::DType::fp32);
  ASSERT_EQ(sums.size(), 1U);
  EXPECT_EQ(sums[0].kind, work::CollectiveKind::all_reduce);
  EXPECT_EQ(sums[0].ranks, 2);
  EXPECT_EQ(sums[0].bytes, Bytes(800 * 4));
  EXPECT_EQ(sums[0].stride, 2 * 3) << "from the first rank of a pipeline to its last";
  p.zero = ZeroStage::optimizer;
  EXPECT_EQ(copy_sums(kEnd.own, p, work::DType::fp32)[0].bytes, Bytes(400 * 4)) << "of the shard that is left";
  p.schedule = ScheduleKind::one_f_one_b;
  EXPECT_THAT(names_of(p), Not(Contains("gradients.reduce_copies")));
}

TEST(BoundaryMessages, AreWholeUnlessTokensOrMessagesAreCutOverTensorRanks) {
  graph::ModelSpec model;
  model.hidden = 64;
  const graph::TrainingShape shape{.micro_batch = 2, .sequence = 32};
  TrainingParallelism p{.tp = 4, .pp = 2, .dp = 3};
  const auto messages = [&](bool scatters) { return boundary_messages(model, shape, p, work::DType::bf16, scatters); };
  const Bytes whole(2 * 32 * 64 * 2);
  ASSERT_EQ(messages(false).size(), 1U);
  EXPECT_EQ(messages(false)[0].bytes, whole);
  EXPECT_EQ(messages(false)[0].stride, 4 * 3);
  ASSERT_EQ(messages(true).size(), 2U);
  EXPECT_EQ(messages(true)[0].bytes, whole / 4);
  EXPECT_EQ(messages(true)[1].kind, work::CollectiveKind::all_gather);
  EXPECT_EQ(messages(true)[1].bytes, whole);
  EXPECT_EQ(messages(true)[1].ranks, 4);
  p.sp = true;
  for (const bool scatters : {false, true}) {
    ASSERT_EQ(messages(scatters).size(), 1U);
    EXPECT_EQ(messages(scatters)[0].bytes, whole / 4);
  }
}

TEST(StepEnd, ATiedTableIsAddedUpWhereItsTwoEndsAreOnDifferentRanks) {
  const std::string sum = "embedding.gradients.reduce";
  TrainingParallelism p{.pp = 4};
  EXPECT_THAT(names_of(p), Contains(sum));
  p.schedule = ScheduleKind::zero_bubble;
  p.zero_bubble = ZeroBubble::v;
  EXPECT_THAT(names_of(p), Not(Contains(sum))) << "the first rank has the last stage, too";
  p.schedule = ScheduleKind::dualpipe;
  EXPECT_THAT(names_of(p), Not(Contains(sum)));
}

}  // namespace
}  // namespace mlosim::plan
