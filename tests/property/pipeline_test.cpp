// Pipelines in closed form against pipelines played, over shapes and unequal stages; and what must hold of any play.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "models/plan/pipeline_time.hpp"

namespace mlosim::property {
namespace {

using machine::SendMode;
using plan::ScheduleKind;
using plan::ScheduleShape;
using plan::StageTimes;
using plan::ZeroBubble;

constexpr double kPicosecond = 1e-12;

double play(const ScheduleShape& shape, const std::vector<StageTimes>& stages, SendMode mode,
            const std::vector<double>& slowdown = {}) {
  const bool pairs = mode == SendMode::blocking;
  const machine::Pipeline pipeline = plan::build_pipeline(plan::make_schedule(shape), stages, pairs);
  return to_seconds(machine::play_pipeline(pipeline, mode, slowdown, {}).makespan).si();
}

// Layers of 1 s a rank, forward; `head` and `embedding` as shares of that on top of the last and the first stage.
struct Layout {
  double head = 0, embedding = 0, send = 0;
};
std::vector<StageTimes> stages_of(const ScheduleShape& shape, const Layout& layout) {
  const double share = shape.kind == ScheduleKind::dualpipe ? 1 : 1 / static_cast<double>(shape.chunks());
  std::vector<StageTimes> stages(static_cast<std::size_t>(shape.stages()),
                                 {.forward = Seconds(share),
                                  .input_gradient = Seconds(1.2 * share),
                                  .weight_gradient = Seconds(0.9 * share),
                                  .send_activation = Seconds(layout.send * share),
                                  .send_gradient = Seconds(layout.send * share)});
  const auto add = [](StageTimes& stage, double more) {
    stage.forward += Seconds(more);
    stage.input_gradient += Seconds(more);
    stage.weight_gradient += Seconds(more);
  };
  add(stages.back(), layout.head);
  add(stages.front(), layout.embedding);
  return stages;
}

std::vector<ScheduleShape> shapes_of(ScheduleKind kind, ZeroBubble variant = ZeroBubble::h1) {
  std::vector<ScheduleShape> shapes;
  for (const std::int64_t pp : {2, 3, 4, 8, 16, 32}) {
    for (const std::int64_t m : {4, 8, 16, 18, 48, 192}) {
      for (const std::int64_t v : {1, 2, 4}) {
        const ScheduleShape shape{
            .kind = kind, .pp = pp, .micro_batches = m, .virtual_stages = v, .zero_bubble = variant};
        if (plan::check_schedule(shape, 0).empty()) shapes.push_back(shape);
      }
    }
  }
  return shapes;
}

std::string name_of(const ScheduleShape& shape, const Layout& layout) {
  return std::to_string(shape.pp) + " ranks, " + std::to_string(shape.micro_batches) + " micro-batches, " +
         std::to_string(shape.virtual_stages) + " chunks, head " + std::to_string(layout.head) + ", message " +
         std::to_string(layout.send);
}

struct Error {
  double sum = 0, worst = 0;
  int count = 0;
  double mean() const { return sum / count; }
};

Error error_of(ScheduleKind kind, ZeroBubble variant = ZeroBubble::h1, std::int64_t most_ranks = 32) {
  Error error;
  for (const ScheduleShape& shape : shapes_of(kind, variant)) {
    if (shape.pp > most_ranks) continue;
    for (const double head : {0.0, 0.2, 1.0}) {
      for (const double embedding : {0.0, 0.02}) {
        for (const double send : {0.0, 0.02, 0.1}) {
          for (const SendMode mode : {SendMode::overlapped, SendMode::blocking}) {
            const Layout layout{.head = head, .embedding = embedding, .send = send};
            const std::vector<StageTimes> stages = stages_of(shape, layout);
            const double off = std::abs(estimate_pipeline(shape, stages, mode).si() / play(shape, stages, mode) - 1);
            error.sum += off;
            error.worst = std::max(error.worst, off);
            ++error.count;
          }
        }
      }
    }
  }
  ::testing::Test::RecordProperty("mean", std::to_string(error.mean()));
  ::testing::Test::RecordProperty("worst", std::to_string(error.worst));
  return error;
}

TEST(Pipeline, EqualStagesWithoutMessagesAreExactInClosedForm) {
  for (const ScheduleKind kind :
       {ScheduleKind::gpipe, ScheduleKind::one_f_one_b, ScheduleKind::interleaved, ScheduleKind::zero_bubble}) {
    for (const ScheduleShape& shape : shapes_of(kind)) {
      const std::vector<StageTimes> stages = stages_of(shape, {});
      const double played = play(shape, stages, SendMode::overlapped);
      EXPECT_NEAR(estimate_pipeline(shape, stages, SendMode::overlapped).si(), played, played * 1e-9)
          << name_of(shape, {});
    }
  }
}

TEST(Pipeline, UnequalStagesOfGpipeAreExactInClosedForm) { EXPECT_LE(error_of(ScheduleKind::gpipe).worst, 1e-9); }

TEST(Pipeline, UnequalStagesOf1F1BAreCloseInClosedForm) {
  const Error error = error_of(ScheduleKind::one_f_one_b);
  EXPECT_LE(error.mean(), 0.001);
  EXPECT_LE(error.worst, 0.02);
}

TEST(Pipeline, UnequalStagesOfInterleavedAreCloseInClosedForm) {
  const Error error = error_of(ScheduleKind::interleaved);
  EXPECT_LE(error.mean(), 0.002);
  EXPECT_LE(error.worst, 0.02);
}

TEST(Pipeline, UnequalStagesOfZeroBubbleAreCloseInClosedForm) {
  const Error error = error_of(ScheduleKind::zero_bubble);
  EXPECT_LE(error.mean(), 0.005);
  EXPECT_LE(error.worst, 0.05);
}

TEST(Pipeline, SchedulesWithoutAFormulaAreExtendedFromAShorterPlay) {
  for (const ZeroBubble variant : {ZeroBubble::h2, ZeroBubble::v, ZeroBubble::v_half, ZeroBubble::v_min})
    EXPECT_LE(error_of(ScheduleKind::zero_bubble, variant, 8).worst, 0.02);
  EXPECT_LE(error_of(ScheduleKind::dualpipe, ZeroBubble::h1, 8).worst, 0.02);
}

std::vector<ScheduleShape> all_shapes() {
  std::vector<ScheduleShape> shapes;
  for (const ScheduleKind kind :
       {ScheduleKind::gpipe, ScheduleKind::one_f_one_b, ScheduleKind::interleaved, ScheduleKind::dualpipe}) {
    for (const ScheduleShape& shape : shapes_of(kind)) shapes.push_back(shape);
  }
  for (const ZeroBubble variant :
       {ZeroBubble::h1, ZeroBubble::h2, ZeroBubble::v, ZeroBubble::v_half, ZeroBubble::v_min}) {
    for (const ScheduleShape& shape : shapes_of(ScheduleKind::zero_bubble, variant)) shapes.push_back(shape);
  }
  return shapes;
}

TEST(Pipeline, TakesNoLessThanItsBusiestRankAndNoLessThanOneMicroBatch) {
  std::mt19937_64 random(1);
  const auto drawn = [&] { return Seconds(static_cast<double>(1 + random() % 1000) * 1e-3); };
  for (const ScheduleShape& shape : all_shapes()) {
    std::vector<StageTimes> stages(static_cast<std::size_t>(shape.stages()));
    double once = 0;
    for (StageTimes& stage : stages) {
      stage = {.forward = drawn(), .input_gradient = drawn(), .weight_gradient = drawn()};
      stage.send_activation = stage.send_gradient = drawn() * 0.05;
      once += (stage.forward + stage.input_gradient).si();
    }
    const machine::Pipeline pipeline = plan::build_pipeline(plan::make_schedule(shape), stages);
    for (const SendMode mode : {SendMode::overlapped, SendMode::queued, SendMode::blocking}) {
      const machine::PipelineResult result = machine::play_pipeline(pipeline, mode, {}, {});
      EXPECT_GE(to_seconds(result.makespan).si(), once);
      for (std::size_t rank = 0; rank < result.ranks.size(); ++rank) EXPECT_GE(result.bubble(rank), event::Span());
    }
  }
}

TEST(Pipeline, IsNeverFasterWithMessagesOrWithASlowRank) {
  for (const ScheduleShape& shape : all_shapes()) {
    if (shape.micro_batches > 48) continue;
    const double alone = play(shape, stages_of(shape, {}), SendMode::overlapped);
    for (const SendMode mode : {SendMode::overlapped, SendMode::queued, SendMode::blocking})
      EXPECT_GE(play(shape, stages_of(shape, {.send = 0.05}), mode), alone - kPicosecond) << name_of(shape, {});
    std::vector<double> slowdown(static_cast<std::size_t>(shape.pp), 1);
    slowdown[slowdown.size() / 2] = 1.1;
    const double slower = play(shape, stages_of(shape, {}), SendMode::overlapped, slowdown);
    EXPECT_GE(slower, alone);
    EXPECT_LE(slower, 1.1 * alone + 1e-6);
  }
}

TEST(Pipeline, ScalesWithTheSpeedOfAllRanks) {
  for (const ScheduleShape& shape : all_shapes()) {
    if (shape.micro_batches > 18) continue;
    const std::vector<StageTimes> stages = stages_of(shape, {});
    const std::vector<double> half(static_cast<std::size_t>(shape.pp), 2);
    const double alone = play(shape, stages, SendMode::overlapped);
    EXPECT_NEAR(play(shape, stages, SendMode::overlapped, half), 2 * alone, 1e-8 * alone);
  }
}

}  // namespace
}  // namespace mlosim::property
