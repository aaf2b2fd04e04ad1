#include "sim/report/step_report.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <numeric>
#include <string>
#include <vector>

namespace mlosim::report {
namespace {

using chip::Resource;
using event::Span;
using event::Time;
using machine::StreamKind;
using machine::TaskFact;
using machine::TaskPrice;

constexpr Watts kStatic(100);

Seconds microseconds(double n) { return Seconds(n * 1e-6); }

// What a task costs; without a time it is as long as it runs.
struct Cost {
  Seconds time{}, overhead{}, bound{};
  Resource limiter = Resource::latency;
  Resource bound_by = Resource::latency;
  Joules energy{};
  std::string detail{};
};

// A run that is written out by hand: tasks with their start, end and price, in microseconds.
class HandMade {
 public:
  HandMade() {
    program.streams = {
        {"compute", StreamKind::compute}, {"communication", StreamKind::communication}, {"side", StreamKind::compute}};
  }

  void run(const std::string& name, std::uint32_t stream, std::int64_t start, std::int64_t end, const Cost& cost) {
    prices.push_back({.time = cost.time > Seconds(0) ? cost.time : microseconds(static_cast<double>(end - start)),
                      .overhead = cost.overhead,
                      .bound = cost.bound,
                      .limiter = cost.limiter,
                      .bound_by = cost.bound_by,
                      .dynamic_energy = cost.energy,
                      .kernels = 1,
                      .is_collective = program.streams[stream].kind == StreamKind::communication,
                      .detail = cost.detail});
    program.ops.push_back({name, work::Gemm{}});
    const auto index = static_cast<std::uint32_t>(program.tasks.size());
    program.tasks.push_back({index, stream, {}});
    const Seconds longer = microseconds(static_cast<double>(end - start)) - prices.back().time;  // by its launch
    facts.push_back({.task = index,
                     .start = Time() + event::microseconds(start),
                     .end = Time() + event::microseconds(end),
                     .overhead = event::to_span_up(cost.overhead + std::max(Seconds(0), longer)),
                     .price = &prices.back()});
  }

  StepReport report(std::int64_t makespan) {
    StepReader reader(program);
    for (const TaskFact& fact : facts) reader.observe(fact);
    return reader.build({.makespan = event::microseconds(makespan), .events = 7}, kStatic);
  }

  machine::Program program;
  std::deque<TaskPrice> prices;
  std::vector<TaskFact> facts;
};

void expect_adds_up(const StepReport& report) {
  EXPECT_NEAR(report.breakdown.total() / report.makespan, 1, 1e-12);
  const Seconds by_resource = std::accumulate(report.by_resource.begin(), report.by_resource.end(), Seconds(0));
  EXPECT_NEAR(by_resource / report.makespan, 1, 1e-12);
}

Seconds of(const StepReport& report, Resource resource) {
  return report.by_resource[static_cast<std::size_t>(resource)];
}

void expect_near(Seconds time, double us) { EXPECT_NEAR(time.si() * 1e6, us, 1e-9); }

TEST(StepReport, ATasksTimeBelongsToWhatLimitsItAndItsEndsAreOverhead) {
  HandMade hand;
  hand.run("a", 0, 0, 10, {.overhead = microseconds(2), .limiter = Resource::matrix_unit});
  hand.run("b", 0, 10, 30, {.overhead = microseconds(5), .limiter = Resource::hbm_bandwidth});
  const StepReport report = hand.report(30);
  expect_near(report.breakdown.compute, 8);
  expect_near(report.breakdown.memory, 15);
  expect_near(report.breakdown.overhead, 7);
  expect_near(of(report, Resource::matrix_unit), 8);
  expect_near(of(report, Resource::hbm_bandwidth), 15);
  expect_near(of(report, Resource::launch), 7);
  expect_adds_up(report);
}

TEST(StepReport, TimeBeforeAndBetweenTasksIsTheHosts) {
  HandMade hand;
  hand.run("a", 0, 5, 10, {.limiter = Resource::matrix_unit});
  hand.run("b", 0, 12, 20, {.limiter = Resource::matrix_unit});
  const StepReport report = hand.report(20);
  expect_near(report.breakdown.overhead, 7);
  expect_near(of(report, Resource::host), 7);
  expect_adds_up(report);
}

// An eager launch makes a task longer than its price: the rest is launch.
TEST(StepReport, TimeBeyondATasksPriceIsLaunch) {
  HandMade hand;
  hand.run("a", 0, 0, 10, {.time = microseconds(6), .overhead = microseconds(2), .limiter = Resource::matrix_unit});
  const StepReport report = hand.report(10);
  expect_near(report.breakdown.compute, 4);
  expect_near(report.breakdown.overhead, 6);
  expect_adds_up(report);
}

TEST(StepReport, OnlyTheExposedPartOfACollectiveCounts) {
  HandMade hand;
  hand.run("gemm", 0, 0, 10, {.limiter = Resource::matrix_unit});
  hand.run("reduce", 1, 4, 16, {.limiter = Resource::link_bandwidth});
  const StepReport report = hand.report(16);
  expect_near(report.breakdown.compute, 10);
  expect_near(report.breakdown.communication_exposed, 6);
  expect_near(report.communication_total, 12);
  expect_near(of(report, Resource::link_bandwidth), 6);
  expect_adds_up(report);
}

TEST(StepReport, OfTwoComputeStreamsTheFirstAMomentBelongsTo) {
  HandMade hand;
  hand.run("main", 0, 0, 10, {.limiter = Resource::matrix_unit});
  hand.run("side", 2, 5, 20, {.limiter = Resource::hbm_bandwidth});
  const StepReport report = hand.report(20);
  expect_near(report.breakdown.compute, 10);
  expect_near(report.breakdown.memory, 10);
  expect_adds_up(report);
}

// The overhead is what it is alone; what another stream adds belongs to what the task waits for.
TEST(StepReport, TimeThatAnotherStreamCostsBelongsToTheLimiter) {
  HandMade hand;
  hand.run("a", 0, 0, 10, {.overhead = microseconds(2), .limiter = Resource::hbm_bandwidth});
  hand.facts.back().end = Time() + event::microseconds(15);
  const StepReport report = hand.report(15);
  expect_near(report.breakdown.overhead, 2);
  expect_near(report.breakdown.memory, 13);
  expect_adds_up(report);
}

TEST(StepReport, AnOperatorSaysWhenItRan) {
  HandMade hand;
  hand.run("a", 0, 3, 10, {});
  hand.run("b", 0, 12, 20, {});
  StepReport report = hand.report(20);
  expect_near(report.ops[1].start, 12);
  expect_near(report.ops[1].end, 20);
  StepReport both = hand.report(20);
  both.ops.pop_back();
  both.add(report, 3);
  expect_near(both.ops[0].start, 3);
  expect_near(both.ops[1].start, 32);
  report.stretch(2, kStatic);
  expect_near(report.ops[1].start, 24);
  expect_near(report.ops[1].end, 40);
}

TEST(StepReport, EveryLimiterFallsIntoItsPart) {
  for (const Resource resource : {Resource::matrix_unit, Resource::vector_unit, Resource::power}) {
    HandMade hand;
    hand.run("a", 0, 0, 10, {.limiter = resource});
    expect_near(hand.report(10).breakdown.compute, 10);
  }
  for (const Resource resource : {Resource::l2_bandwidth, Resource::hbm_bandwidth, Resource::latency}) {
    HandMade hand;
    hand.run("a", 0, 0, 10, {.limiter = resource});
    expect_near(hand.report(10).breakdown.memory, 10);
  }
}

TEST(StepReport, TasksWithoutLengthChangeNothing) {
  HandMade hand;
  hand.run("a", 0, 0, 5, {.limiter = Resource::matrix_unit});
  hand.run("nothing", 0, 5, 5, {.limiter = Resource::hbm_bandwidth});
  hand.run("b", 0, 5, 9, {.limiter = Resource::matrix_unit});
  const StepReport report = hand.report(9);
  expect_near(report.breakdown.compute, 9);
  EXPECT_EQ(report.ops[1].count, 1);
  expect_adds_up(report);
}

TEST(StepReport, StaticPowerIsDrawnAllTheTime) {
  HandMade hand;
  hand.run("a", 0, 5, 10, {.energy = Joules(3)});
  EXPECT_NEAR(hand.report(20).energy.si(), 3 + 100 * 20e-6, 1e-12);
}

TEST(StepReport, StaticPowerIsDrawnOnceWhereStreamsOverlap) {
  HandMade hand;
  hand.run("a", 0, 0, 10, {.energy = Joules(1)});
  hand.run("b", 1, 0, 10, {.energy = Joules(2)});
  EXPECT_NEAR(hand.report(15).energy.si(), 3 + 100 * 15e-6, 1e-12);
}

StepReport one_step(const std::vector<std::string>& names) {
  HandMade hand;
  std::int64_t at = 0;
  for (const std::string& name : names) {
    hand.run(name, 0, at, at + 10,
             {.overhead = microseconds(1), .limiter = Resource::matrix_unit, .energy = Joules(1)});
    at += 10;
  }
  return hand.report(at + 5);
}

TEST(StepReport, AStretchedStepWaitsForPowerAndStillAddsUp) {
  StepReport report = one_step({"a", "b"});
  const Joules before = report.energy;
  const Seconds waited = report.by_resource[static_cast<std::size_t>(Resource::power)];
  report.stretch(1.5, kStatic);
  expect_near(report.makespan, 1.5 * 25);
  expect_near(report.ops[0].time, 15);
  expect_near(report.by_resource[static_cast<std::size_t>(Resource::power)] - waited, 12.5);
  EXPECT_NEAR(report.energy.si() - before.si(), 100 * 12.5e-6, 1e-12);
  expect_adds_up(report);
}

TEST(StepReport, AtALowerClockTheSameShareOfCommunicationIsExposed) {
  StepReport report;
  report.add_part(Seconds(6), &TimeBreakdown::compute, Resource::matrix_unit);
  report.add_part(Seconds(2), &TimeBreakdown::communication_exposed, Resource::link_bandwidth);
  report.makespan = Seconds(8);
  report.communication_total = Seconds(4);
  report.stretch(1.5, kStatic);
  EXPECT_DOUBLE_EQ(report.communication_total.si(), 6);
  EXPECT_DOUBLE_EQ(report.breakdown.communication_exposed.si(), 3);
  EXPECT_DOUBLE_EQ(report.breakdown.total().si(), report.makespan.si());
}

TEST(StepReport, AnOperatorsTasksAreCountedTogether) {
  HandMade hand;
  hand.run("layer", 0, 0, 4, {.bound = microseconds(3), .bound_by = Resource::hbm_bandwidth, .detail = "128x128"});
  hand.program.tasks.push_back({0, 0, {}});
  hand.facts.push_back({.task = 1,
                        .start = Time() + event::microseconds(4),
                        .end = Time() + event::microseconds(10),
                        .overhead = {},
                        .price = &hand.prices.back()});
  const StepReport report = hand.report(10);
  ASSERT_EQ(report.ops.size(), 1U);
  EXPECT_EQ(report.ops[0].count, 2);
  expect_near(report.ops[0].time, 10);
  expect_near(report.ops[0].each, 5);
  expect_near(report.ops[0].bound, 3);
  EXPECT_EQ(report.ops[0].bound_by, Resource::hbm_bandwidth);
  EXPECT_EQ(report.ops[0].detail, "128x128");
}

TEST(StepReportAdd, ARunIsTheSumOfItsSteps) {
  StepReport run;
  run.add(one_step({"a", "b"}), 3);
  run.add(one_step({"a", "b"}), 1.5);
  expect_near(run.makespan, 4.5 * 25);
  EXPECT_NEAR(run.energy.si(), 4.5 * (2 + 100 * 25e-6), 1e-9);
  EXPECT_EQ(run.events, 14) << "played steps alone are events";
  expect_adds_up(run);
}

TEST(StepReportAdd, OperatorsAreMatchedByName) {
  StepReport run = one_step({"a", "b"});
  run.add(one_step({"b", "c"}), 2);
  ASSERT_EQ(run.ops.size(), 3U);
  EXPECT_EQ(run.ops[0].name, "a");
  EXPECT_EQ(run.ops[1].name, "b");
  EXPECT_EQ(run.ops[2].name, "c");
  EXPECT_EQ(run.ops[0].count, 1);
  EXPECT_EQ(run.ops[1].count, 3);
  EXPECT_EQ(run.ops[2].count, 2);
  expect_near(run.ops[1].time, 30);
  expect_near(run.ops[1].each, 10);
}

// Short names live inside their strings, long ones outside: both must be found when the list of operators grows.
TEST(StepReportAdd, ManyOperatorsOfAllLengthsOfNamesAreMatched) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < 200; ++i) names.push_back("op" + std::to_string(i) + std::string(i % 40, 'x'));
  StepReport run;
  for (int step = 0; step < 5; ++step) run.add(one_step(names), 1);
  ASSERT_EQ(run.ops.size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(run.ops[i].name, names[i]);
    EXPECT_EQ(run.ops[i].count, 5) << names[i];
  }
}

TEST(StepReportAdd, TheOperatorsOfARunTakeAllItsTimeButTheHosts) {
  StepReport run;
  run.add(one_step({"a", "b", "c"}), 7);
  Seconds ops;
  for (const OpTotal& op : run.ops) ops += op.time;
  EXPECT_NEAR((ops + of(run, Resource::host)) / run.makespan, 1, 1e-12);
}

TEST(TimeBreakdown, ABreakdownIsScaledPartByPart) {
  const TimeBreakdown b{Seconds(1), Seconds(2), Seconds(3), Seconds(4), Seconds(5), Seconds(6)};
  const TimeBreakdown twice = b * 2;
  EXPECT_EQ(twice.total(), Seconds(42));
  EXPECT_EQ(twice.bubble, Seconds(8));
  EXPECT_EQ(twice.optimizer, Seconds(12));
}

}  // namespace
}  // namespace mlosim::report
