#include "sim/machine/play.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "tests/unit/sim/spec/small_library.hpp"

namespace mlosim::machine {
namespace {

using event::Span;
using event::Time;
using event::to_span_up;

class Log : public event::Observer<TaskFact> {
 public:
  void observe(const TaskFact& fact) override { facts.push_back(fact); }
  std::vector<TaskFact> facts;
};

// Programs of three operators on one toy chip: 0 is a small GEMM, 1 a larger one, 2 a copy.
class PlayTest : public testing::Test {
 protected:
  PlayTest() {
    program.streams = {{"compute", StreamKind::compute}, {"side", StreamKind::compute}};
    program.ops = {{"small", work::Gemm{.m = 256, .n = 256, .k = 256}},
                   {"large", work::Gemm{.m = 4096, .n = 4096, .k = 4096}},
                   {"copy", work::make_elementwise(work::ElementwiseKind::copy, 8192, 8192, work::DType::bf16,
                                                   work::DType::bf16)}};
  }

  void add(std::uint32_t op, std::uint32_t stream = 0, std::vector<std::uint32_t> after = {}) {
    program.tasks.push_back({op, stream, std::move(after)});
  }

  PlayResult play_it() {
    log = Log();
    event::Facts<TaskFact> facts;
    facts.attach(log);
    return play(program, prices, hardware.system.chip.launch, facts);
  }

  // How long an operator takes in a replayed graph, and how long the host needs to submit it.
  Span time_of(std::uint32_t op) { return to_span_up(prices.price(program.ops[op].op).time); }
  Span submit_of(std::uint32_t op) {
    return to_span_up(hardware.system.chip.launch.submit * prices.price(program.ops[op].op).kernels);
  }
  // The gap between dependent kernels that are launched one by one, beyond that of a graph.
  Span eager_time_of(std::uint32_t op) {
    const TaskPrice& price = prices.price(program.ops[op].op);
    return to_span_up(price.time +
                      (hardware.system.chip.launch.stream - hardware.system.chip.launch.graph) * price.kernels);
  }
  const TaskFact& fact_of(std::uint32_t task) const {
    return *std::find_if(log.facts.begin(), log.facts.end(), [&](const TaskFact& fact) { return fact.task == task; });
  }

  spec::SmallLibrary small;
  spec::Hardware hardware = small.hardware("toy");
  PriceBook prices{hardware, chip::Fidelity::analytic, {}, true};
  Program program;
  Log log;
};

TEST_F(PlayTest, AnEmptyProgramTakesNoTime) {
  EXPECT_EQ(play_it().makespan, Span());
  EXPECT_TRUE(log.facts.empty());
}

TEST_F(PlayTest, TasksOfOneStreamRunBackToBackInOrder) {
  for (const std::uint32_t op : {0U, 1U, 2U, 0U}) add(op);
  EXPECT_EQ(play_it().makespan, time_of(0) + time_of(1) + time_of(2) + time_of(0));
  ASSERT_EQ(log.facts.size(), 4U);
  Time at;
  for (std::uint32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(log.facts[i].task, i);
    EXPECT_EQ(log.facts[i].start, at);
    at = log.facts[i].end;
  }
}

// The small GEMM takes a sixth of the units: it has them, and the large one goes on with the rest.
TEST_F(PlayTest, TwoStreamsRunAtTheSameTime) {
  add(1, 0);
  add(0, 1);
  add(0, 1);
  const Span makespan = play_it().makespan;
  EXPECT_EQ(fact_of(0).start, Time());
  EXPECT_EQ(fact_of(1).start, Time());
  EXPECT_EQ(fact_of(2).start, Time() + time_of(0));
  EXPECT_EQ(fact_of(2).end, Time() + 2 * time_of(0));
  EXPECT_GT(makespan, time_of(1));
  EXPECT_LT(makespan, time_of(1) + 2 * time_of(0));
}

TEST_F(PlayTest, WhatEachLeavesToTheOtherSlowsNobodyDown) {
  program.ops[1].op = work::Gemm{.m = 256, .n = 256, .k = 16384};  // as few CTAs as the small one, for longer
  add(1, 0);
  add(0, 1);
  EXPECT_EQ(play_it().makespan, time_of(1));
}

// Each of two equal tasks has half of the chip after its launch, and they end together.
TEST_F(PlayTest, TwoLargeKernelsShareTheChip) {
  add(1, 0);
  add(1, 1);
  const TaskPrice& price = prices.price(program.ops[1].op);
  const Span overhead = to_span_up(price.overhead);
  play_it();
  EXPECT_EQ(fact_of(0).end, fact_of(1).end);
  const double main = to_seconds(time_of(1) - overhead).si();
  EXPECT_NEAR(to_seconds(fact_of(0).end - Time() - overhead).si(), main * std::max(1.0, 2 * price.use.units), 1e-11);
}

TEST_F(PlayTest, WhoComesLaterMovesTheEndOfWhoIsThere) {
  add(1, 0);
  add(0, 1);
  add(1, 1);
  play_it();
  EXPECT_GT(fact_of(0).end - fact_of(0).start, time_of(1));
  // The later one has the chip for itself in the end.
  EXPECT_GT(fact_of(2).end, fact_of(0).end);
  EXPECT_LT(fact_of(2).end - fact_of(2).start, 2 * time_of(1));
}

TEST_F(PlayTest, TasksBesideEachOtherTakeNoLessThanTheLongerAndNoMoreThanBoth) {
  for (const std::uint32_t a : {0U, 1U, 2U}) {
    for (const std::uint32_t b : {0U, 1U, 2U}) {
      program.tasks.clear();
      add(a, 0);
      add(b, 1);
      const Span makespan = play_it().makespan;
      EXPECT_GE(makespan, std::max(time_of(a), time_of(b))) << a << " beside " << b;
      EXPECT_LE(makespan, time_of(a) + time_of(b)) << a << " beside " << b;
    }
  }
}

TEST_F(PlayTest, TheOrderOfStreamsDecidesNothing) {
  program.streams = {{"a", StreamKind::compute}, {"b", StreamKind::compute}, {"c", StreamKind::compute}};
  for (const std::uint32_t op : {1U, 0U, 2U}) {
    add(op, 0);
    add(2 - op, 1);
    add(1, 2);
  }
  const Span expected = play_it().makespan;
  for (Task& task : program.tasks) task.stream = 2 - task.stream;
  std::reverse(program.tasks.begin(), program.tasks.end());
  std::stable_sort(program.tasks.begin(), program.tasks.end(),
                   [](const Task& a, const Task& b) { return a.stream < b.stream; });
  // Each stream has its tasks in the order that it had.
  for (std::size_t s = 0; s < 3; ++s) std::reverse(program.tasks.begin() + 3 * s, program.tasks.begin() + 3 * (s + 1));
  EXPECT_EQ(play_it().makespan, expected);
}

TEST_F(PlayTest, ATaskWaitsForAllThatItDependsOn) {
  add(1, 0);
  add(0, 1);
  add(2, 1, {0, 1});
  EXPECT_EQ(play_it().makespan, std::max(time_of(1), time_of(0)) + time_of(2));
  EXPECT_EQ(fact_of(2).start, std::max(fact_of(0).end, fact_of(1).end));
}

TEST_F(PlayTest, ADependencyThatIsNamedTwiceIsOne) {
  add(0);
  add(1, 0, {0, 0, 0});
  EXPECT_EQ(play_it().makespan, time_of(0) + time_of(1));
}

TEST_F(PlayTest, TheLeadTimeComesBeforeTheFirstTask) {
  add(0);
  program.lead_time = Seconds(110e-6);
  EXPECT_EQ(play_it().makespan, to_span_up(Seconds(110e-6)) + time_of(0));
  EXPECT_EQ(fact_of(0).start, Time() + to_span_up(Seconds(110e-6)));
}

TEST_F(PlayTest, ACompiledProgramRunsAsAGraphDoes) {
  for (const std::uint32_t op : {0U, 1U, 2U}) add(op);
  const Span graph = play_it().makespan;
  program.launch = spec::LaunchPath::compiled;
  EXPECT_EQ(play_it().makespan, graph);
}

TEST_F(PlayTest, AnEagerKernelStartsWhenItIsSubmitted) {
  program.launch = spec::LaunchPath::eager;
  program.lead_time = Seconds(3e-6);
  add(0);
  EXPECT_EQ(play_it().makespan, to_span_up(Seconds(3e-6)) + submit_of(0) + eager_time_of(0));
}

TEST_F(PlayTest, EagerSmallKernelsAreBoundByTheirSubmission) {
  program.launch = spec::LaunchPath::eager;
  hardware.system.chip.launch.submit = Seconds(100e-6);
  for (int i = 0; i < 10; ++i) add(0);
  ASSERT_LT(eager_time_of(0), submit_of(0));
  EXPECT_EQ(play_it().makespan, 10 * submit_of(0) + eager_time_of(0));
}

TEST_F(PlayTest, EagerLargeKernelsHideTheirSubmission) {
  program.launch = spec::LaunchPath::eager;
  for (int i = 0; i < 10; ++i) add(1);
  ASSERT_GT(eager_time_of(1), submit_of(1));
  EXPECT_EQ(play_it().makespan, submit_of(1) + 10 * eager_time_of(1));
}

// The host runs ahead during a large kernel and loses its lead during small ones.
TEST_F(PlayTest, AnEagerRunTakesAtLeastItsSubmissionsAndItsKernels) {
  program.launch = spec::LaunchPath::eager;
  for (const std::uint32_t op : {0U, 0U, 1U, 0U, 0U, 2U, 0U}) add(op);
  const Span makespan = play_it().makespan;
  Span submissions, kernels;
  for (const Task& task : program.tasks) {
    submissions = submissions + submit_of(task.op);
    kernels = kernels + eager_time_of(task.op);
  }
  EXPECT_GE(makespan, submissions);
  EXPECT_GE(makespan, kernels);
  EXPECT_LE(makespan, submissions + kernels);
}

TEST_F(PlayTest, AnEagerRunIsNeverFasterThanAGraph) {
  for (const std::uint32_t op : {0U, 1U, 0U, 2U}) add(op);
  const Span graph = play_it().makespan;
  program.launch = spec::LaunchPath::eager;
  EXPECT_GT(play_it().makespan, graph);
}

TEST_F(PlayTest, FactsComeInTheOrderOfTheirEnds) {
  add(1, 0);
  for (int i = 0; i < 5; ++i) add(0, 1);
  add(2, 0);
  play_it();
  ASSERT_EQ(log.facts.size(), program.tasks.size());
  EXPECT_TRUE(std::is_sorted(log.facts.begin(), log.facts.end(),
                             [](const TaskFact& a, const TaskFact& b) { return a.end < b.end; }));
}

TEST_F(PlayTest, EqualEndsComeInTheOrderInWhichTheTasksStarted) {
  program.streams = {{"a", StreamKind::compute}, {"b", StreamKind::compute}, {"c", StreamKind::compute}};
  for (const std::uint32_t stream : {2U, 0U, 1U}) add(0, stream);
  play_it();
  ASSERT_EQ(log.facts.size(), 3U);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(log.facts[i].task, i);
}

TEST_F(PlayTest, AFactSaysWhatTheTaskCost) {
  add(1);
  play_it();
  EXPECT_EQ(fact_of(0).price, &prices.price(program.ops[1].op));
  EXPECT_EQ(fact_of(0).end - fact_of(0).start, time_of(1));
}

TEST_F(PlayTest, EqualRunsHaveEqualChecksums) {
  add(1, 0);
  add(0, 1);
  add(2, 0, {1});
  const PlayResult first = play_it(), second = play_it();
  EXPECT_EQ(first.checksum, second.checksum);
  EXPECT_EQ(first.events, second.events);
  EXPECT_EQ(first.makespan, second.makespan);
  std::swap(program.tasks[0].stream, program.tasks[1].stream);
  program.tasks[2].op = 0;
  EXPECT_NE(play_it().checksum, first.checksum);
}

TEST_F(PlayTest, ADependencyOnALaterTaskIsOurOwnMistake) {
  add(0, 0, {1});
  add(0, 1);
  EXPECT_THROW(play_it(), InternalError);
}

TEST_F(PlayTest, ObserversAreOptional) {
  add(0);
  EXPECT_EQ(play(program, prices, hardware.system.chip.launch, {}).makespan, time_of(0));
}

}  // namespace
}  // namespace mlosim::machine
