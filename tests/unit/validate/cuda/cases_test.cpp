// What holds of every case of the program, on every chip that it knows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "validate/cuda/cases/memory_shapes.hpp"
#include "validate/cuda/cases/rotation.hpp"
#include "validate/cuda/measure/result_file.hpp"
#include "validate/cuda/measure/schedule.hpp"

namespace mlosim::measure {
namespace {

// As a build that lacks nothing has them.
std::vector<Case> complete_cases() {
  std::vector<Case> cases = all_cases();
  for (Case& one : cases) one.absent.clear();
  return cases;
}

TEST(MeasureCases, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const Case& one : all_cases()) {
    EXPECT_TRUE(names.insert(one.name).second) << one.name << " is there twice";
    EXPECT_NE(one.name.find('.'), std::string::npos) << one.name;
    EXPECT_FALSE(one.summary.empty()) << one.name;
  }
}

TEST(MeasureCases, PlanEveryStateOnEveryChip) {
  const std::vector<Case> cases = complete_cases();
  for (const std::string& chip : known_chips()) {
    const DeviceFacts facts = nominal_facts(chip).value();
    const Selection selection = select_works(cases, {}, facts);
    EXPECT_GT(selection.works.size(), 100u) << chip;
    for (const LeftOut& one : selection.left_out) EXPECT_FALSE(one.reason.empty()) << chip << ": " << one.name;
    for (const Work& work : selection.works) {
      EXPECT_GT(work.estimate.count(), 0) << chip << ": " << work.name();
      EXPECT_LT(work.estimate.count(), 120) << chip << ": " << work.name();
      EXPECT_GE(work.plan.memory_bytes, 0) << chip << ": " << work.name();
    }
  }
}

TEST(MeasureCases, IdentifyTheirRowsByOpAndDtypeAndTheirKeys) {
  const std::vector<Case> cases = complete_cases();
  const std::set<std::string> contract = {"op", "dtype"};
  for (const Work& work : select_works(cases, {}, nominal_facts("h100_sxm").value()).works) {
    ASSERT_GE(work.plan.identity.size(), 2u) << work.name();
    EXPECT_EQ(work.plan.identity[0].column, "op") << work.name();
    EXPECT_EQ(work.plan.identity[1].column, "dtype") << work.name();
    for (const Cell& cell : work.plan.identity) {
      const std::vector<std::string>& announced = work.of->keys;
      EXPECT_TRUE(contract.count(cell.column) > 0 ||
                  std::find(announced.begin(), announced.end(), cell.column) != announced.end())
          << work.name() << " names its row by " << cell.column;
      EXPECT_FALSE(cell.value.empty()) << work.name() << ": " << cell.column;
    }
  }
}

TEST(MeasureCases, MicrobenchmarksSayWhichKindTheyAre) {
  const std::vector<Case> cases = complete_cases();
  for (const Work& work : select_works(cases, {}, nominal_facts("h100_sxm").value()).works)
    if (value_of(work.plan.identity, "op") == "microbenchmark") {
      EXPECT_FALSE(value_of(work.plan.identity, "kind").empty()) << work.name();
    }
}

// Otherwise a row that is read back would not be found by its identity.
TEST(MeasureCases, ResultsAreKeysOfNoCase) {
  const std::vector<Case> cases = all_cases();
  const std::set<std::string> keys = key_columns(cases);
  for (const Case& one : cases)
    for (const std::string& result : one.results)
      EXPECT_EQ(keys.count(result), 0u) << one.name << " has a result " << result;
}

TEST(MeasureCases, AShortRunTakesEveryGroupThatHasStates) {
  const std::vector<Case> cases = complete_cases();
  DeviceFacts facts = nominal_facts("h100_sxm").value();
  facts.gpus = 8;
  const Selection selection = select_works(cases, {}, facts);
  std::set<Group> groups;
  for (const Work& work : selection.works) groups.insert(work.of->group);
  std::set<Group> measured;
  for (const Work& work : within_budget(balanced_order(selection.works, 0), Seconds(300)))
    measured.insert(work.of->group);
  EXPECT_EQ(measured, groups);
}

TEST(MeasureCases, ColumnsBeginAndEndAsTheContractHasThem) {
  const std::vector<std::string> columns = csv_columns(all_cases());
  EXPECT_EQ(columns[0], "device");
  EXPECT_EQ(columns[1], "op");
  EXPECT_EQ(columns[2], "dtype");
  EXPECT_EQ(std::set<std::string>(columns.begin(), columns.end()).size(), columns.size());
  for (const char* name : {"time_us", "power_w", "flag", "software", "source"})
    EXPECT_EQ(std::count(columns.begin(), columns.end(), name), 1) << name;
}

TEST(MeasureShapes, RotationExceedsTwiceTheL2UnlessDataAreTiny) {
  const DeviceFacts facts = nominal_facts("h100_sxm").value();
  for (const std::int64_t bytes : {1LL << 20, 10LL << 20, 1LL << 30})
    EXPECT_GE(copies_past_l2(bytes, facts) * bytes, 2 * facts.l2_bytes);
  EXPECT_EQ(copies_past_l2(1 << 30, facts), 1);
  EXPECT_EQ(copies_past_l2(16, facts), 512);
}

TEST(MeasureShapes, AStreamMovesWhatItsOpSays) {
  const DeviceFacts facts = nominal_facts("h100_sxm").value();
  const auto traffic = [&](const char* op) {
    return stream_shape(State(Coordinates{{"op", op}, {"bytes", "1MiB"}}), facts).traffic_bytes() / (1 << 20);
  };
  EXPECT_EQ(traffic("read"), 1);
  EXPECT_EQ(traffic("write"), 1);
  EXPECT_EQ(traffic("copy"), 2);
  EXPECT_EQ(traffic("memcpy"), 2);
  EXPECT_EQ(traffic("triad"), 3);
}

TEST(MeasureShapes, SweepsFillWholeStepsOfTheirBlocks) {
  constexpr std::int64_t kStep = 1024 * 16;
  for (const std::string& chip : known_chips()) {
    const DeviceFacts facts = nominal_facts(chip).value();
    for (const char* level : {"l2", "hbm"})
      for (const char* sms : {"1", "24", "all"}) {
        const SweepShape shape = sm_scaling_shape(State(Coordinates{{"level", level}, {"sms", sms}}), facts);
        EXPECT_EQ(shape.footprint_bytes % kStep, 0) << chip;
        EXPECT_EQ(shape.bytes_per_block % (8 * kStep), 0) << chip;
        EXPECT_LE(shape.blocks, facts.sms) << chip;
        if (level == std::string("hbm")) {
          EXPECT_GE(shape.footprint_bytes, 10 * facts.l2_bytes) << chip;
        }
      }
  }
}

}  // namespace
}  // namespace mlosim::measure
