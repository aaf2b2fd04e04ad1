#include "models/plan/training_parallelism.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/spec/document.hpp"

namespace mlosim::plan {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  TrainingParallelism p;
  std::vector<std::string> mistakes, warnings;
};

Read decode(const std::string& yaml, bool has_moe = false, std::int64_t chips = 0) {
  const spec::Value document = spec::parse_document("parallelism: " + yaml + "\n", "w.yaml");
  spec::Decoding decoding;
  Read read{
      decode_training_parallelism(spec::Node(&document, "", &decoding).child("parallelism"), has_moe, chips), {}, {}};
  read.warnings = decoding.warnings;
  for (const spec::Diagnostic& d : decoding.diagnostics.list()) read.mistakes.push_back(spec::render_diagnostic(d));
  return read;
}

TEST(TrainingParallelism, DataParallelismFillsTheChips) {
  const Read read = decode("{tp: 8, pp: 4}", false, 128);
  EXPECT_EQ(read.p.dp, 4);
  EXPECT_EQ(read.p.chips(), 128);
  EXPECT_THAT(read.mistakes, IsEmpty());
  EXPECT_THAT(read.warnings, IsEmpty());
}

TEST(TrainingParallelism, AnotherNumberOfChipsChangesTheReplicasAndSaysSo) {
  const Read read = decode("{tp: 8, pp: 4, dp: 2}", false, 128);
  EXPECT_EQ(read.p.dp, 4);
  EXPECT_THAT(read.warnings, Contains(HasSubstr("dp is 4 to fit 128 chips")));
  EXPECT_THAT(decode("{tp: 8, pp: 4}", false, 100).mistakes, Contains(HasSubstr("100 chips are no multiple of tp 8")));
}

TEST(TrainingParallelism, ExpertsAreTakenFromTheChipsOfAStage) {
  const Read read = decode("{tp: 2, pp: 2, dp: 16, ep: 8}", true);
  EXPECT_EQ(read.p.moe_tp, 1);
  EXPECT_EQ(read.p.expert_replicas(), 4);
  EXPECT_EQ(decode("{tp: 2, dp: 4}", true).p.moe_tp, 2) << "experts that are not spread are cut as the rest is";
  EXPECT_THAT(decode("{tp: 2, dp: 4, ep: 16}", true).mistakes, Contains(HasSubstr("does not divide the 8 chips")));
  EXPECT_THAT(decode("{tp: 2, ep: 2}").mistakes, Contains(HasSubstr("no experts to spread")));
}

TEST(TrainingParallelism, GroupsLieFromTheInsideToTheOutside) {
  const TrainingParallelism p = decode("{tp: 4, cp: 2, dp: 8, pp: 3}").p;
  EXPECT_EQ(p.cp_stride(), 4);
  EXPECT_EQ(p.dp_stride(), 4);
  EXPECT_EQ(p.replicas(), 16);
  EXPECT_EQ(p.pp_stride(), 64);
}

TEST(TrainingParallelism, AShardingGroupDividesTheReplicas) {
  const TrainingParallelism p = decode("{dp: 16, zero: 3, hsdp_shard: 8}").p;
  EXPECT_EQ(p.shard_ranks(), 8);
  EXPECT_EQ(p.shard_copies(), 2);
  EXPECT_THAT(decode("{dp: 16, zero: 3, hsdp_shard: 5}").mistakes, Contains(HasSubstr("5 ranks do not divide")));
  EXPECT_THAT(decode("{dp: 16, hsdp_shard: 8}").mistakes, Contains(HasSubstr("nothing is shared out")));
  EXPECT_THAT(decode("{dp: 16, zero: 4}").mistakes, Contains(HasSubstr("stages are 0 to 3")));
}

TEST(TrainingParallelism, VirtualStagesAreInterleavedUnlessAnotherScheduleIsNamed) {
  EXPECT_EQ(decode("{pp: 4, virtual_stages: 2}").p.schedule, ScheduleKind::interleaved);
  EXPECT_EQ(decode("{pp: 4}").p.schedule, ScheduleKind::one_f_one_b);
  EXPECT_EQ(decode("{pp: 4, schedule: zero_bubble, zero_bubble: v}").p.zero_bubble, ZeroBubble::v);
  EXPECT_THAT(decode("{pp: 4, zero_bubble: v}").mistakes, Contains(HasSubstr("kind of the schedule 'zero_bubble'")));
}

TEST(TrainingParallelism, DegreesBeyondMeaningAreRefused) {
  EXPECT_THAT(decode("{tp: 1000000, pp: 1000000, dp: 1000000}").mistakes,
              Contains(HasSubstr("more ranks than can be")));
}

}  // namespace
}  // namespace mlosim::plan
