// From cases and a command line to an ordered list of states: what is chosen, in which order, what fits a budget, and
// how it is printed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "validate/cuda/measure/listing.hpp"
#include "validate/cuda/measure/schedule.hpp"
#include "validate/cuda/measure/selection.hpp"
#include "validate/cuda/measure/usage_error.hpp"

namespace mlosim::measure {
namespace {

using testing::HasSubstr;

Planned plan_of(const std::string& op, const State& state) {
  return Plan{.identity = {{"op", op}, {"dtype", "bf16"}, {"m", state.text("m")}},
              .launch_guess = Seconds(1e-6),
              .memory_bytes = state.integer("m") << 20};
}

Case make_case(const std::string& name, Group group, std::vector<std::int64_t> m) {
  return {.name = name,
          .group = group,
          .summary = "does " + name,
          .axes = {integer_axis("m", m)},
          .keys = {"m"},
          .results = {},
          .plan = [name](const State& state, const DeviceFacts&, const Options&) { return plan_of(name, state); },
          .absent = {}};
}

std::vector<Case> two_cases() {
  return {make_case("memory.copy", Group::memory, {1, 2, 4, 1024}), make_case("gemm.blas", Group::gemm, {1, 2})};
}

const DeviceFacts kFacts = nominal_facts("h100_sxm").value();

Arguments only(const std::vector<std::string>& cases, std::vector<AxisFilter> axes = {}) {
  Arguments arguments;
  arguments.cases = cases;
  arguments.axes = std::move(axes);
  return arguments;
}

std::string refusal(const std::vector<Case>& cases, const Arguments& arguments) {
  try {
    select_works(cases, arguments, kFacts);
  } catch (const UsageError& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "accepted";
}

TEST(MeasureSelection, IsTheProductOfTheAxesOfEveryCase) {
  const std::vector<Case> cases = two_cases();
  const Selection selection = select_works(cases, {}, kFacts);
  ASSERT_EQ(selection.works.size(), 6u);
  EXPECT_EQ(selection.works[0].name(), "memory.copy m=1");
  EXPECT_EQ(selection.works[5].name(), "gemm.blas m=2");
}

TEST(MeasureSelection, FiltersTakeCasesGroupsAndValues) {
  const std::vector<Case> cases = two_cases();
  Arguments by_group;
  by_group.groups = {"gemm"};
  EXPECT_EQ(select_works(cases, by_group, kFacts).works.size(), 2u);
  EXPECT_EQ(select_works(cases, only({"memory.copy"}), kFacts).works.size(), 4u);
  const Selection filtered = select_works(cases, only({}, {{"m", {"1KiB", "2"}}}), kFacts);
  ASSERT_EQ(filtered.works.size(), 3u);
  EXPECT_EQ(filtered.works[1].name(), "memory.copy m=1024");
}

TEST(MeasureSelection, WrongNamesHaveTheNearestSpelling) {
  const std::vector<Case> cases = two_cases();
  EXPECT_THAT(refusal(cases, only({"memory.kopy"})), HasSubstr("did you mean 'memory.copy'?"));
  EXPECT_THAT(refusal(cases, only({}, {{"n", {"1"}}})), HasSubstr("there is no axis 'n'"));
  EXPECT_THAT(refusal(cases, only({"gemm.blas"}, {{"m", {"1024"}}})), HasSubstr("no value '1024'"));
  Arguments by_group;
  by_group.groups = {"gem"};
  EXPECT_THAT(refusal(cases, by_group), HasSubstr("did you mean 'gemm'?"));
}

TEST(MeasureSelection, WhatCannotRunIsLeftOutWithTheReason) {
  std::vector<Case> cases = two_cases();
  cases[1].absent = "built without it";
  DeviceFacts small = kFacts;
  small.memory_bytes = 100 << 20;
  const Selection selection = select_works(cases, {}, small);
  EXPECT_EQ(selection.works.size(), 3u);
  ASSERT_EQ(selection.left_out.size(), 2u);
  EXPECT_EQ(selection.left_out[0].name, "memory.copy m=1024");
  EXPECT_EQ(selection.left_out[0].reason, "needs 1 GiB of device memory, 0.0977 GiB are free");
  EXPECT_EQ(selection.left_out[1].name, "gemm.blas");
}

TEST(MeasureSelection, StatesThatAreOneRowAreMeasuredOnce) {
  const std::vector<Case> cases = {make_case("a", Group::gemm, {1, 2, 1}), make_case("b", Group::gemm, {1})};
  EXPECT_EQ(select_works(cases, {}, kFacts).works.size(), 3u);
}

std::vector<Case> many_cases() {
  return {make_case("memory.copy", Group::memory, geometric(1, 1 << 14)),
          make_case("memory.read", Group::memory, geometric(1, 1 << 6)),
          make_case("gemm.blas", Group::gemm, geometric(1, 1 << 15))};
}

std::vector<std::string> names_of(const std::vector<Work>& works) {
  std::vector<std::string> names;
  for (const Work& work : works) names.push_back(work.name());
  return names;
}

TEST(MeasureSchedule, OrderingLosesNothingAndIsAlwaysTheSame) {
  const std::vector<Case> cases = many_cases();
  const std::vector<Work> works = select_works(cases, {}, kFacts).works;
  const std::vector<std::string> ordered = names_of(balanced_order(works, 0));
  EXPECT_THAT(ordered, testing::UnorderedElementsAreArray(names_of(works)));
  EXPECT_EQ(ordered, names_of(balanced_order(works, 0)));
  EXPECT_NE(ordered, names_of(balanced_order(works, 1)));
  EXPECT_THAT(names_of(balanced_order(works, 1)), testing::UnorderedElementsAreArray(ordered));
}

TEST(MeasureSchedule, GroupsHaveHadEqualTimeWhereverARunStops) {
  const std::vector<Case> cases = many_cases();
  const std::vector<Work> works = balanced_order(select_works(cases, {}, kFacts).works, 0);
  Seconds longest{0};
  for (const Work& work : works) longest = std::max(longest, work.estimate);
  Seconds memory{0};
  Seconds gemm{0};
  for (std::size_t i = 0; i < works.size() / 2; ++i) {
    (works[i].of->group == Group::gemm ? gemm : memory) += works[i].estimate;
    EXPECT_LE(std::abs((memory - gemm).count()), longest.count()) << "after " << i + 1;
  }
}

TEST(MeasureSchedule, TheBeginningOfACaseIsSpreadOverItsAxis) {
  const std::vector<Case> cases = {make_case("memory.copy", Group::memory, geometric(1, 1 << 15))};
  const std::vector<Work> works = balanced_order(select_works(cases, {}, kFacts).works, 0);
  std::set<int> quarters;
  for (std::size_t i = 0; i < 5; ++i) {
    int log = 0;
    while ((std::int64_t{1} << log) < works[i].state.integer("m")) ++log;
    quarters.insert(log / 4);
  }
  EXPECT_EQ(quarters.size(), 4u);
}

TEST(MeasureSchedule, ABudgetIsKeptAndUsed) {
  const std::vector<Case> cases = many_cases();
  const std::vector<Work> works = balanced_order(select_works(cases, {}, kFacts).works, 0);
  const Seconds budget = total_estimate(works) / 3;
  const std::vector<Work> fitting = within_budget(works, budget);
  EXPECT_LE(total_estimate(fitting).count(), budget.count());
  EXPECT_GT(total_estimate(fitting).count(), 0.8 * budget.count());
  EXPECT_EQ(within_budget(works, Seconds(0)).size(), 0u);
  EXPECT_EQ(within_budget(works, total_estimate(works) * 1.001).size(), works.size());
}

TEST(MeasureSchedule, AStateThatLastsAGivenTimeIsCountedWithIt) {
  const Plan plan{.identity = {}, .launch_guess = Seconds(1e-6), .fixed_time = Seconds(10)};
  EXPECT_GE(estimate_time(plan, {}).count(), 10);
  EXPECT_LT(estimate_time(plan, {}).count(), 11);
}

TEST(MeasureListing, TheListNamesCasesAxesAndWhatIsAbsent) {
  std::vector<Case> cases = two_cases();
  cases[1].absent = "built without it";
  EXPECT_EQ(render_list(cases),
            "memory\n"
            "  memory.copy             does memory.copy\n"
            "    m: 1 2 4 1024\n"
            "gemm\n"
            "  gemm.blas               does gemm.blas\n"
            "    not in this build: built without it\n"
            "    m: 1 2\n");
}

TEST(MeasureListing, ALongAxisIsCutInTheMiddle) {
  const std::string list = render_list({make_case("memory.copy", Group::memory, geometric(1, 1024))});
  EXPECT_THAT(list, HasSubstr("m: 1 2 4 8 16 32 ... 1024 (11 values)"));
}

TEST(MeasureListing, ThePlanAddsUp) {
  const std::vector<Case> cases = two_cases();
  const Selection selection = select_works(cases, {}, kFacts);
  const std::string plan =
      render_plan(kFacts, balanced_order(selection.works, 0), {{"gemm.x m=1", "no"}, {"gemm.x m=2", "no"}}, 3);
  EXPECT_THAT(plan, HasSubstr("plan for h100_sxm (nominal figures, no GPU was asked)\n     1  "));
  EXPECT_THAT(plan, HasSubstr("left out: gemm.x m=1 (and 1 more): no\n"));
  EXPECT_THAT(plan, HasSubstr("memory           4 states, about "));
  EXPECT_THAT(plan, HasSubstr("all              6 states, about "));
  EXPECT_THAT(plan, HasSubstr("3 more states are beyond the budget\n"));
}

TEST(MeasureListing, TimesAreToldInAUnitThatFits) {
  EXPECT_EQ(render_time(Seconds(0.5)), "0.50 s");
  EXPECT_EQ(render_time(Seconds(42)), "42 s");
  EXPECT_EQ(render_time(Seconds(600)), "10 min");
  EXPECT_EQ(render_time(Seconds(7200)), "2.0 h");
}

}  // namespace
}  // namespace mlosim::measure
