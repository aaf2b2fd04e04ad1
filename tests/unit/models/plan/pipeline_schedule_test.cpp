#include "models/plan/pipeline_schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mlosim::plan {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

ScheduleShape shape(ScheduleKind kind, std::int64_t pp, std::int64_t micro_batches, std::int64_t virtual_stages = 1) {
  return {.kind = kind, .pp = pp, .micro_batches = micro_batches, .virtual_stages = virtual_stages};
}

ScheduleShape zero_bubble(ZeroBubble variant, std::int64_t pp, std::int64_t micro_batches) {
  return {.kind = ScheduleKind::zero_bubble, .pp = pp, .micro_batches = micro_batches, .zero_bubble = variant};
}

// "F0 F1 B0 …", chunks after a point, overlaps with a plus.
std::string text_of(const std::vector<ChunkTask>& order) {
  std::string text;
  for (const ChunkTask& task : order) {
    text += std::string(1, "FBIW"[static_cast<std::size_t>(task.pass)]) + std::to_string(task.micro_batch);
    if (task.chunk > 0) text += "." + std::to_string(task.chunk);
    text += task.with_next ? "+" : " ";
  }
  text.pop_back();
  return text;
}

std::vector<std::string> mistakes_of(const ScheduleShape& s, std::int64_t layers = 0) {
  std::vector<std::string> texts;
  for (const ShapeMistake& m : check_schedule(s, layers)) texts.push_back(m.key + ": " + m.message + "; " + m.hint);
  return texts;
}

std::vector<std::int64_t> held(const ScheduleShape& shape) {
  std::vector<std::int64_t> chunks;
  for (const InFlight& rank : peak_in_flight(shape)) chunks.push_back(rank.held);
  return chunks;
}

TEST(PipelineSchedule, GpipeDoesAllForwardsFirst) {
  const Schedule schedule = make_schedule(shape(ScheduleKind::gpipe, 2, 3));
  EXPECT_EQ(text_of(schedule.order[0]), "F0 F1 F2 B0 B1 B2");
  EXPECT_THAT(held(schedule.shape), ElementsAre(3, 3));
}

TEST(PipelineSchedule, OneFOneBTakesTurnsAfterItsWarmUp) {
  const Schedule schedule = make_schedule(shape(ScheduleKind::one_f_one_b, 3, 4));
  EXPECT_EQ(text_of(schedule.order[0]), "F0 F1 F2 B0 F3 B1 B2 B3");
  EXPECT_EQ(text_of(schedule.order[2]), "F0 B0 F1 B1 F2 B2 F3 B3");
}

TEST(PipelineSchedule, OneFOneBKeepsNoMoreThanRanksFromItsOwnToTheLast) {
  for (const std::int64_t pp : {1, 2, 5, 8}) {
    for (const std::int64_t m : {1, 3, 8, 40}) {
      const std::vector<std::int64_t> peaks = held(shape(ScheduleKind::one_f_one_b, pp, m));
      for (std::int64_t i = 0; i < pp; ++i)
        EXPECT_EQ(peaks[static_cast<std::size_t>(i)], std::min(m, pp - i)) << pp << " ranks, " << m << " micro-batches";
    }
  }
}

TEST(PipelineSchedule, InterleavedGoesDepthFirstInGroupsOfRanks) {
  const Schedule schedule = make_schedule(shape(ScheduleKind::interleaved, 2, 4, 2));
  EXPECT_EQ(text_of(schedule.order[0]), "F0 F1 F0.1 F1.1 F2 B0.1 F3 B1.1 F2.1 B0 F3.1 B1 B2.1 B3.1 B2 B3");
  EXPECT_EQ(text_of(schedule.order[1]), "F0 F1 F0.1 B0.1 F1.1 B1.1 F2 B0 F3 B1 F2.1 B2.1 F3.1 B3.1 B2 B3");
}

TEST(PipelineSchedule, InterleavedKeepsItsWarmUpAndOneMore) {
  for (const std::int64_t pp : {2, 4, 8}) {
    for (const std::int64_t v : {2, 3, 8}) {
      const std::int64_t m = 4 * pp;
      const std::vector<std::int64_t> peaks = held(shape(ScheduleKind::interleaved, pp, m, v));
      for (std::int64_t i = 0; i < pp; ++i)
        EXPECT_EQ(peaks[static_cast<std::size_t>(i)], 2 * (pp - i - 1) + (v - 1) * pp + 1);
      // Korthikanti et al. 2022: 1 + (p - 1) / (p v) times the activations of 1F1B, which keeps p · v chunks.
      EXPECT_EQ(peaks[0], v * pp + pp - 1);
    }
  }
}

TEST(PipelineSchedule, ZeroBubbleH1PutsWeightGradientsOffByTheRank) {
  const Schedule schedule = make_schedule(zero_bubble(ZeroBubble::h1, 2, 3));
  EXPECT_EQ(text_of(schedule.order[0]), "F0 F1 I0 W0 F2 I1 W1 I2 W2");
  EXPECT_EQ(text_of(schedule.order[1]), "F0 I0 F1 I1 W0 F2 I2 W1 W2");
}

TEST(PipelineSchedule, ZeroBubbleKeepsAsManyActivationsAsItsFormSays) {
  for (const std::int64_t pp : {2, 4, 8, 16}) {
    const auto peaks = [&](ZeroBubble variant) { return held(zero_bubble(variant, pp, 8 * pp)); };
    EXPECT_THAT(peaks(ZeroBubble::h1), Each(Le(pp)));
    EXPECT_THAT(peaks(ZeroBubble::h2), Each(Le(2 * pp - 1)));
    EXPECT_THAT(peaks(ZeroBubble::v), Each(Le(2 * pp))) << "chunks are half a stage";
    EXPECT_THAT(peaks(ZeroBubble::v_half), Each(Le(pp + 3)));
    EXPECT_THAT(peaks(ZeroBubble::v_min), Each(Le(2 * pp / 3 + 4)));
  }
}

TEST(PipelineSchedule, DualPipeOverlapsTheForwardOfOneDirectionWithTheBackwardOfTheOther) {
  const Schedule schedule = make_schedule(shape(ScheduleKind::dualpipe, 4, 8));
  EXPECT_EQ(text_of(schedule.order[0]), "F0 F1 F2 F4.1 I4.1 W4.1 F5.1 F3+B5.1 F6.1+B0 B6.1 F7.1+B1 B7.1 I2 W2 I3 W3");
  EXPECT_THAT(held(schedule.shape), Each(Le(5))) << "pp + 1 chunks";
}

TEST(PipelineSchedule, EveryPassOfEveryMicroBatchIsThereOnce) {
  std::vector<ScheduleShape> shapes;
  for (const std::int64_t pp : {1, 2, 4, 6}) {
    for (const std::int64_t m : {1, 4, 12, 24}) {
      shapes.push_back(shape(ScheduleKind::gpipe, pp, m));
      shapes.push_back(shape(ScheduleKind::one_f_one_b, pp, m));
      shapes.push_back(shape(ScheduleKind::interleaved, pp, m, 3));
      shapes.push_back(shape(ScheduleKind::dualpipe, pp, m));
      for (const ZeroBubble variant :
           {ZeroBubble::h1, ZeroBubble::h2, ZeroBubble::v, ZeroBubble::v_half, ZeroBubble::v_min})
        shapes.push_back(zero_bubble(variant, pp, m));
    }
  }
  for (const ScheduleShape& s : shapes) {
    if (!check_schedule(s, 0).empty()) continue;
    std::int64_t forwards = 0, inputs = 0, weights = 0;
    for (const std::vector<ChunkTask>& order : make_schedule(s).order) {
      for (const ChunkTask& task : order) {
        forwards += task.pass == ChunkPass::forward;
        inputs += task.pass == ChunkPass::backward || task.pass == ChunkPass::input_gradient;
        weights += task.pass == ChunkPass::backward || task.pass == ChunkPass::weight_gradient;
      }
    }
    EXPECT_EQ(forwards, s.stages() * s.micro_batches);
    EXPECT_EQ(inputs, forwards);
    EXPECT_EQ(weights, forwards);
  }
}

TEST(PipelineSchedule, WeightGradientsArePutOffByAsMuchAsTheVariantSays) {
  const auto put_off = [](const ScheduleShape& s) {
    std::vector<std::int64_t> chunks;
    for (const InFlight& rank : peak_in_flight(s)) chunks.push_back(rank.put_off);
    return chunks;
  };
  EXPECT_THAT(put_off(zero_bubble(ZeroBubble::h1, 4, 16)), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(put_off(zero_bubble(ZeroBubble::h2, 4, 16)), ElementsAre(1, 3, 5, 7));
  EXPECT_THAT(put_off(shape(ScheduleKind::one_f_one_b, 4, 16)), Each(0));
  EXPECT_THAT(put_off(shape(ScheduleKind::gpipe, 4, 16)), Each(0));
}

TEST(PipelineSchedule, StagesLieAsTheScheduleFoldsThem) {
  EXPECT_EQ(shape(ScheduleKind::interleaved, 4, 8, 2).stage_of(1, 1), 5);
  EXPECT_EQ(zero_bubble(ZeroBubble::v, 4, 8).stage_of(1, 1), 6);
  EXPECT_EQ(zero_bubble(ZeroBubble::v, 4, 8).stages(), 8);
  EXPECT_EQ(shape(ScheduleKind::dualpipe, 4, 8).stage_of(1, 1), 2);
  EXPECT_EQ(shape(ScheduleKind::dualpipe, 4, 8).stages(), 4);
}

TEST(PipelineSchedule, MessagesCrossWhereTheNextStageIsOnAnotherRank) {
  for (const ScheduleShape& s :
       {shape(ScheduleKind::one_f_one_b, 1, 8), shape(ScheduleKind::one_f_one_b, 4, 8),
        shape(ScheduleKind::interleaved, 4, 8, 3), zero_bubble(ZeroBubble::h1, 4, 8), zero_bubble(ZeroBubble::v, 4, 8),
        zero_bubble(ZeroBubble::v_min, 1, 8), shape(ScheduleKind::dualpipe, 4, 8)}) {
    std::vector<std::vector<std::int64_t>> ranks(static_cast<std::size_t>(s.stages()));
    for (std::int64_t chunk = 0; chunk < s.chunks(); ++chunk) {
      for (std::int64_t rank = 0; rank < s.pp; ++rank)
        ranks[static_cast<std::size_t>(s.stage_of(rank, chunk))].push_back(rank);
    }
    std::int64_t crossings = 0;
    for (std::size_t stage = 0; stage < ranks.size(); ++stage) {
      EXPECT_EQ(std::ssize(ranks[stage]), s.copies());
      const bool crosses = stage + 1 < ranks.size() && ranks[stage].front() != ranks[stage + 1].front();
      EXPECT_EQ(s.crosses_after(static_cast<std::int64_t>(stage)), crosses) << stage;
      crossings += crosses ? 1 : 0;
    }
    EXPECT_EQ(s.crossings(), crossings);
    std::sort(ranks.front().begin(), ranks.front().end());
    std::sort(ranks.back().begin(), ranks.back().end());
    EXPECT_EQ(s.joins_ends(), ranks.front() == ranks.back());
  }
}

TEST(PipelineSchedule, TheFirstRankHasPassesOfAChunkBetweenItsFirstAndTheNextOnes) {
  for (const ScheduleShape& s : {shape(ScheduleKind::interleaved, 4, 8, 3), shape(ScheduleKind::interleaved, 2, 8, 2),
                                 shape(ScheduleKind::dualpipe, 2, 8), shape(ScheduleKind::dualpipe, 8, 20)}) {
    const std::vector<ChunkTask> order = make_schedule(s).order[0];
    const PassesBetween between = passes_between_chunks(s);
    const auto first = [&](std::int32_t chunk) {
      return std::find_if(order.begin(), order.end(), [&](const ChunkTask& task) { return task.chunk == chunk; });
    };
    const auto is_forward = [](const ChunkTask& task) { return task.pass == ChunkPass::forward; };
    EXPECT_EQ(std::count_if(first(0), first(1), is_forward), between.forwards) << s.pp;
    const auto last = [&](std::int32_t chunk) {
      return std::find_if(order.rbegin(), order.rend(), [&](const ChunkTask& task) { return task.chunk == chunk; });
    };
    const auto is_backward = [](const ChunkTask& task) {
      return task.pass == ChunkPass::backward || task.pass == ChunkPass::input_gradient;
    };
    EXPECT_EQ(std::count_if(last(0), last(1), is_backward), between.backwards) << s.pp;
  }
}

TEST(PipelineSchedule, InFlightIsAsCountedInTheOrders) {
  for (const ScheduleShape& s : {shape(ScheduleKind::gpipe, 4, 6), shape(ScheduleKind::one_f_one_b, 4, 2),
                                 shape(ScheduleKind::one_f_one_b, 4, 9), shape(ScheduleKind::interleaved, 4, 4, 3),
                                 shape(ScheduleKind::interleaved, 4, 12, 2)}) {
    std::vector<std::int64_t> counted;
    for (const auto& order : make_schedule(s).order) {
      std::int64_t held = 0, most = 0;
      for (const ChunkTask& task : order) most = std::max(most, held += task.pass == ChunkPass::forward ? 1 : -1);
      counted.push_back(most);
    }
    EXPECT_EQ(held(s), counted);
  }
}

TEST(PipelineSchedule, LayersThatDoNotDivideAreRefusedButAtTheEnds) {
  EXPECT_THAT(mistakes_of(shape(ScheduleKind::one_f_one_b, 16, 16), 126), IsEmpty());
  EXPECT_THAT(mistakes_of(shape(ScheduleKind::one_f_one_b, 16, 16), 125), SizeIs(1));
  EXPECT_THAT(mistakes_of(shape(ScheduleKind::one_f_one_b, 1, 16), 7), IsEmpty());
}

TEST(PipelineSchedule, ShapesThatCannotBeAreRefusedWithWhatToDo) {
  EXPECT_THAT(mistakes_of(shape(ScheduleKind::one_f_one_b, 4, 6), 16), IsEmpty());
  EXPECT_THAT(mistakes_of(shape(ScheduleKind::interleaved, 4, 6, 2)), ElementsAre(HasSubstr("multiple of 'pp'")));
  EXPECT_THAT(mistakes_of(shape(ScheduleKind::interleaved, 4, 8)), ElementsAre(HasSubstr("at least 2 virtual stages")));
  EXPECT_THAT(mistakes_of(shape(ScheduleKind::interleaved, 1, 8, 2)), ElementsAre(HasSubstr("pp:")));
  EXPECT_THAT(mistakes_of(shape(ScheduleKind::one_f_one_b, 4, 8, 2)), ElementsAre(HasSubstr("'interleaved' alone")));
  EXPECT_THAT(mistakes_of(shape(ScheduleKind::interleaved, 4, 8, 3), 32),
              ElementsAre(HasSubstr("virtual_stages: 32 layers do not divide over 12 stages")));
  EXPECT_THAT(mistakes_of(shape(ScheduleKind::gpipe, 8, 8), 4), ElementsAre(HasSubstr("4 layers do not reach")));
  EXPECT_THAT(mistakes_of(shape(ScheduleKind::dualpipe, 3, 8)), ElementsAre(HasSubstr("make 'pp' even")));
  EXPECT_THAT(mistakes_of(shape(ScheduleKind::dualpipe, 4, 7)), ElementsAre(HasSubstr("at least 8")));
  EXPECT_THAT(mistakes_of(shape(ScheduleKind::dualpipe, 5, 8)), SizeIs(2));
}

}  // namespace
}  // namespace mlosim::plan
