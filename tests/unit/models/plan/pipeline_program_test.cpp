#include "models/plan/pipeline_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace mlosim::plan {
namespace {

using machine::SendMode;

// Every stage alike; one rank's share of a micro-batch takes `whole` together.
std::vector<StageTimes> equal_stages(const ScheduleShape& shape, const StageTimes& whole) {
  const double parts = shape.kind == ScheduleKind::dualpipe ? 1 : static_cast<double>(shape.chunks());
  return std::vector<StageTimes>(static_cast<std::size_t>(shape.stages()),
                                 {.forward = whole.forward / parts,
                                  .input_gradient = whole.input_gradient / parts,
                                  .weight_gradient = whole.weight_gradient / parts,
                                  .overlapped = whole.overlapped,
                                  .send_activation = whole.send_activation,
                                  .send_gradient = whole.send_gradient});
}

machine::PipelineResult play(const ScheduleShape& shape, const StageTimes& whole,
                             SendMode mode = SendMode::overlapped) {
  return machine::play_pipeline(build_pipeline(make_schedule(shape), equal_stages(shape, whole)), mode, {}, {});
}

double seconds(event::Span span) { return to_seconds(span).si(); }

// What is left of the makespan beside the work of one rank, all ranks being equal.
double bubble(const ScheduleShape& shape, const StageTimes& whole) {
  return seconds(play(shape, whole).makespan) -
         static_cast<double>(shape.micro_batches) * (whole.forward + whole.backward()).si();
}

constexpr StageTimes kTimes{.forward = Seconds(1), .input_gradient = Seconds(1.2), .weight_gradient = Seconds(0.9)};
constexpr double kF = 1, kI = 1.2, kW = 0.9;

TEST(PipelineProgram, TasksLieAsInTheSchedule) {
  const ScheduleShape shape{.kind = ScheduleKind::one_f_one_b, .pp = 2, .micro_batches = 2};
  const machine::Pipeline pipeline = build_pipeline(make_schedule(shape), equal_stages(shape, kTimes));
  EXPECT_THAT(pipeline.first, testing::ElementsAre(0, 4, 8));  // F0 F1 B0 B1 | F0 B0 F1 B1
  EXPECT_EQ(pipeline.tasks[0].after, machine::kNoTask);
  EXPECT_EQ(pipeline.tasks[4].after, 0) << "a forward waits for the stage before";
  EXPECT_EQ(pipeline.tasks[5].after, 4) << "the last stage turns round";
  EXPECT_EQ(pipeline.tasks[2].after, 5) << "a backward waits for the stage after";
}

TEST(PipelineProgram, NobodySendsBeyondTheEndsOrToItself) {
  StageTimes times = kTimes;
  times.send_activation = times.send_gradient = Seconds(0.1);
  const ScheduleShape shape{
      .kind = ScheduleKind::zero_bubble, .pp = 2, .micro_batches = 8, .zero_bubble = ZeroBubble::v};
  const machine::PipelineResult result = play(shape, times, SendMode::blocking);
  // Rank 0 sends forwards of stage 0 and gradients of stage 3, rank 1 those of stages 1 and 2 that leave it.
  EXPECT_NEAR(seconds(result.ranks[0].sending), 8 * 0.2, 1e-9);
  EXPECT_NEAR(seconds(result.ranks[1].sending), 8 * 0.2, 1e-9);
}

TEST(PipelineProgram, GpipeAnd1F1BHaveTheSameBubble) {
  for (const ScheduleKind kind : {ScheduleKind::gpipe, ScheduleKind::one_f_one_b})
    EXPECT_NEAR(bubble({.kind = kind, .pp = 8, .micro_batches = 32}, kTimes), 7 * (kF + kI + kW), 1e-9);
}

TEST(PipelineProgram, InterleavingDividesTheBubbleByItsChunks) {
  for (const std::int64_t v : {2, 4}) {
    EXPECT_NEAR(bubble({.kind = ScheduleKind::interleaved, .pp = 8, .micro_batches = 32, .virtual_stages = v}, kTimes),
                7 * (kF + kI + kW) / static_cast<double>(v), 1e-9);
  }
}

TEST(PipelineProgram, ZeroBubbleH1LosesForwardPlusInputLessWeightGradientARank) {
  EXPECT_NEAR(bubble({.kind = ScheduleKind::zero_bubble, .pp = 8, .micro_batches = 32}, kTimes), 7 * (kF + kI - kW),
              1e-9);
}

// Qi et al. 2023: (p - 1) (F + B - 2 W), where no rank waits for others between steps.
TEST(PipelineProgram, ZeroBubbleH2KeepsEachRankBusyFromItsFirstChunkToItsLast) {
  const ScheduleShape shape{
      .kind = ScheduleKind::zero_bubble, .pp = 8, .micro_batches = 32, .zero_bubble = ZeroBubble::h2};
  const StageTimes equal{.forward = Seconds(1), .input_gradient = Seconds(1), .weight_gradient = Seconds(1)};
  for (const machine::RankTimes& rank : play(shape, equal).ranks) EXPECT_EQ(rank.busy, rank.end - rank.start);
}

TEST(PipelineProgram, ZeroBubbleVNeedsTheMemoryOf1F1BAndLosesLessThanH1) {
  const ScheduleShape h1{.kind = ScheduleKind::zero_bubble, .pp = 8, .micro_batches = 32};
  ScheduleShape v = h1;
  v.zero_bubble = ZeroBubble::v;
  EXPECT_LT(bubble(v, kTimes), bubble(h1, kTimes));
}

// DeepSeek-V3 technical report, table 2: (PP / 2 - 1) (F&B + B - 3 W), with B the whole backward and F&B the two
// overlapped.
TEST(PipelineProgram, DualPipeLosesWhatItsAuthorsSay) {
  for (const std::int64_t pp : {4, 8, 16}) {
    const ScheduleShape shape{.kind = ScheduleKind::dualpipe, .pp = pp, .micro_batches = 4 * pp};
    const StageTimes equal{.forward = Seconds(1), .input_gradient = Seconds(1), .weight_gradient = Seconds(1)};
    EXPECT_NEAR(bubble(shape, equal), static_cast<double>(pp / 2 - 1) * (3 + 2 - 3), 1e-9);
  }
}

TEST(PipelineProgram, OverlappedChunksOfDualPipeTakeTheirOwnTime) {
  const ScheduleShape shape{.kind = ScheduleKind::dualpipe, .pp = 8, .micro_batches = 32};
  StageTimes faster = kTimes;
  faster.overlapped = Seconds(0.8 * (kF + kI + kW));
  const double gain = seconds(play(shape, kTimes).makespan) - seconds(play(shape, faster).makespan);
  EXPECT_GT(gain, 0.2 * (kF + kI + kW) * (32 - 2 * 8));
}

// A message costs nothing of its own where ranks pair it with the one that goes the other way.
TEST(PipelineProgram, PairedMessagesOfInterleavedBlockOnce) {
  const ScheduleShape shape{.kind = ScheduleKind::interleaved, .pp = 4, .micro_batches = 16, .virtual_stages = 2};
  StageTimes times = kTimes;
  times.send_activation = times.send_gradient = Seconds(0.05);
  const Schedule schedule = make_schedule(shape);
  const std::vector<StageTimes> stages = equal_stages(shape, times);
  const auto sending = [&](bool pairs) {
    return seconds(
        machine::play_pipeline(build_pipeline(schedule, stages, pairs), SendMode::blocking, {}, {}).ranks[1].sending);
  };
  EXPECT_NEAR(sending(false), 0.05 * 2 * 2 * 16, 1e-9);
  EXPECT_NEAR(sending(true), 0.05 * (2 * 2 * 16 - (2 * 16 - static_cast<double>(interleaved_warm_up(shape, 1)))), 1e-9);
}

// AMD's measurements of eight pipeline ranks on MI300X, throughput against 1F1B. What is not published is set as for a
// dense model: 32 micro-batches, attention 15 % of a forward, whose gradient takes 2.5 times as long and is all input
// gradient; messages 2 % of a forward.
TEST(PipelineProgram, SchedulesGainWhatIsMeasuredOnEightRanks) {
  const StageTimes times{.forward = Seconds(1),
                         .input_gradient = Seconds(0.85 + 2.5 * 0.15),
                         .weight_gradient = Seconds(0.85),
                         .send_activation = Seconds(0.02),
                         .send_gradient = Seconds(0.02)};
  const ScheduleShape base{.kind = ScheduleKind::one_f_one_b, .pp = 8, .micro_batches = 32};
  const double reference = seconds(play(base, times).makespan);
  const auto gain = [&](ScheduleKind kind, ZeroBubble variant, std::int64_t v = 1) {
    ScheduleShape shape = base;
    shape.kind = kind;
    shape.zero_bubble = variant;
    shape.virtual_stages = v;
    return reference / seconds(play(shape, times).makespan);
  };
  EXPECT_NEAR(gain(ScheduleKind::interleaved, ZeroBubble::h1, 2), 1.09, 0.03);
  EXPECT_NEAR(gain(ScheduleKind::zero_bubble, ZeroBubble::h1), 1.13, 0.03);
  EXPECT_NEAR(gain(ScheduleKind::zero_bubble, ZeroBubble::v), 1.12, 0.03);
  EXPECT_NEAR(gain(ScheduleKind::zero_bubble, ZeroBubble::v_half), 1.08, 0.03);
  EXPECT_NEAR(gain(ScheduleKind::zero_bubble, ZeroBubble::v_min), 0.88, 0.03);
}

}  // namespace
}  // namespace mlosim::plan
