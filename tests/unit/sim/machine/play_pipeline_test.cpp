#include "sim/machine/play_pipeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/spec/diagnostics.hpp"
#include "sim/units/check.hpp"

namespace mlosim::machine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr event::Span kSecond(event::kPicosecondsPerSecond);

struct Recorder : event::Observer<PipelineFact> {
  void observe(const PipelineFact& fact) override { facts.push_back(fact); }
  std::vector<PipelineFact> facts;
};

// Two ranks: the first makes two messages of 1 s each, the second takes 2 s for each of them.
Pipeline producer_and_consumer(Seconds send) {
  return {.first = {0, 2, 4},
          .tasks = {{.cost = 0}, {.cost = 0}, {.cost = 1, .after = 0}, {.cost = 1, .after = 1}},
          .costs = {{.work = Seconds(1), .send = send}, {.work = Seconds(2), .send = Seconds(0)}}};
}

PipelineResult play(const Pipeline& pipeline, SendMode mode = SendMode::overlapped,
                    const std::vector<double>& slowdown = {}) {
  return play_pipeline(pipeline, mode, slowdown, {});
}

TEST(PlayPipeline, AChunkStartsWhenItsRankIsFreeAndItsMessageIsThere) {
  const Pipeline pipeline = producer_and_consumer(Seconds(0.5));
  Recorder recorder;
  event::Facts<PipelineFact> facts;
  facts.attach(recorder);
  const PipelineResult result = play_pipeline(pipeline, SendMode::overlapped, {}, facts);
  ASSERT_EQ(recorder.facts.size(), 4);
  EXPECT_EQ(recorder.facts[2].task, 2);
  EXPECT_EQ(recorder.facts[2].rank, 1);
  EXPECT_EQ(recorder.facts[2].start - event::Time(), event::to_span_up(Seconds(1.5)));
  EXPECT_EQ(recorder.facts[3].start - event::Time(), event::to_span_up(Seconds(3.5)));
  EXPECT_EQ(result.makespan, event::to_span_up(Seconds(5.5)));
}

TEST(PlayPipeline, TakesOneEventAChunk) { EXPECT_EQ(play(producer_and_consumer(Seconds(0.5))).events, 4); }

TEST(PlayPipeline, BusyAndBubbleOfARankAreItsWholeTime) {
  const PipelineResult result = play(producer_and_consumer(Seconds(0)));
  EXPECT_EQ(result.makespan, 5 * kSecond);
  EXPECT_EQ(result.ranks[0].busy, 2 * kSecond);
  EXPECT_EQ(result.bubble(0), 3 * kSecond);
  EXPECT_EQ(result.bubble(1), 1 * kSecond);
  EXPECT_EQ(result.ranks[1].start - event::Time(), 1 * kSecond);
}

TEST(PlayPipeline, ARankThatBlocksWhileItSendsStartsItsNextChunkLater) {
  const Pipeline pipeline = producer_and_consumer(Seconds(3));
  EXPECT_EQ(play(pipeline, SendMode::overlapped).makespan, 8 * kSecond) << "messages travel beside each other";
  EXPECT_EQ(play(pipeline, SendMode::queued).makespan, 9 * kSecond) << "the second leaves when the first is there";
  const PipelineResult blocking = play(pipeline, SendMode::blocking);
  EXPECT_EQ(blocking.makespan, 10 * kSecond);
  EXPECT_EQ(blocking.ranks[0].sending, 6 * kSecond);
  EXPECT_EQ(blocking.bubble(0), 2 * kSecond);
}

TEST(PlayPipeline, ARankIsAsManyTimesSlowerAsItIsSaidToBe) {
  EXPECT_EQ(play(producer_and_consumer(Seconds(0)), SendMode::overlapped, {1, 1.5}).makespan, 7 * kSecond);
  EXPECT_EQ(play(producer_and_consumer(Seconds(0)), SendMode::overlapped, {3, 1}).makespan, 8 * kSecond);
}

TEST(PlayPipeline, ChunksThatRunAsOneStartWhenBothMayAndEndTogether) {
  Pipeline pipeline = producer_and_consumer(Seconds(0));
  pipeline.tasks[2].joins_next = JoinsNext::runs;
  Recorder recorder;
  event::Facts<PipelineFact> facts;
  facts.attach(recorder);
  EXPECT_EQ(play_pipeline(pipeline, SendMode::overlapped, {}, facts).makespan, 4 * kSecond);
  ASSERT_EQ(recorder.facts.size(), 4);
  EXPECT_EQ(recorder.facts[2].start, recorder.facts[3].start);
  EXPECT_EQ(recorder.facts[2].end, recorder.facts[3].end);
}

TEST(PlayPipeline, AMessageThatLeavesWithTheNextCostsNothingOfItsOwn) {
  Pipeline pipeline = producer_and_consumer(Seconds(1));
  EXPECT_EQ(play(pipeline, SendMode::blocking).ranks[0].sending, 2 * kSecond);
  pipeline.tasks[0].joins_next = JoinsNext::sends;
  const PipelineResult paired = play(pipeline, SendMode::blocking);
  EXPECT_EQ(paired.ranks[0].sending, 1 * kSecond);
  EXPECT_EQ(paired.ranks[1].start - event::Time(), 3 * kSecond);
}

TEST(PlayPipeline, OrdersThatContradictEachOtherAreNamed) {
  const Pipeline crossed{.first = {0, 2, 4},
                         .tasks = {{.cost = 0, .after = 3}, {.cost = 0}, {.cost = 0, .after = 1}, {.cost = 0}},
                         .costs = {{.work = Seconds(1), .send = Seconds(0)}}};
  try {
    play(crossed);
    FAIL() << "a deadlock was played";
  } catch (const InternalError& error) {
    EXPECT_THAT(error.what(), HasSubstr("task 0 of rank 0 waits for task 1 of rank 1"));
    EXPECT_THAT(error.what(), HasSubstr("task 0 of rank 1 waits for task 1 of rank 0"));
  }
}

TEST(PlayPipeline, ARankThatWaitsForItsOwnFutureIsNamed) {
  const Pipeline backwards{.first = {0, 2},
                           .tasks = {{.cost = 0, .after = 1}, {.cost = 0}},
                           .costs = {{.work = Seconds(1), .send = Seconds(0)}}};
  EXPECT_THROW(play(backwards), InternalError);
}

TEST(PlayPipeline, TimesThatNobodyCanMeanAreWrongInput) {
  Pipeline pipeline = producer_and_consumer(Seconds(0));
  pipeline.costs[0].work = Seconds(1e12);
  EXPECT_THROW(play(pipeline), spec::InputError);
}

TEST(PlayPipeline, NothingToDoTakesNoTime) {
  EXPECT_EQ(play({.first = {0, 0}, .tasks = {}, .costs = {}}).makespan, event::Span());
}

TEST(PlayPipeline, ReplicasThatAreAlikeArePlayedOnce) {
  const std::vector<double> slowdowns{1, 1, 1, 1.5, 1, 1, 1, 1.5};
  const ReplicaResults results = play_replicas(producer_and_consumer(Seconds(0)), SendMode::overlapped, slowdowns);
  EXPECT_EQ(results.played.size(), 2);
  EXPECT_THAT(results.result_of, ElementsAre(0, 1, 0, 1));
  EXPECT_EQ(results.makespan(), 7 * kSecond);
}

TEST(PlayPipeline, EqualRunsHaveEqualChecksums) {
  EXPECT_EQ(play(producer_and_consumer(Seconds(1))).checksum, play(producer_and_consumer(Seconds(1))).checksum);
  EXPECT_NE(play(producer_and_consumer(Seconds(1))).checksum, play(producer_and_consumer(Seconds(2))).checksum);
}

}  // namespace
}  // namespace mlosim::machine
