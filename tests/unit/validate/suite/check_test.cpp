#include "validate/suite/check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/spec/diagnostics.hpp"
#include "tests/unit/validate/suite/tables.hpp"

namespace mlosim::suite {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kHead = "schema: mlosim/suite/1\nname: s\nrows:\n";

// A row whose workload has these fields besides.
std::string row(const std::string& id, const std::string& workload) {
  return "  - {id: " + id + ", workload: {" + workload + "}, measured: {time_s: 1}, source: a paper}\n";
}

const std::string kGood = row("good", "task: ops, system: h100_sxm, ops: [{op: gemm, m: 1, n: 2, k: 3, dtype: bf16}]");

class Check : public testing::Test {
 protected:
  predict::Checked check_suite(const std::string& rows) const {
    return check(folder_.library(), folder_.write("s.yaml", kHead + rows)).value_or(predict::Checked{});
  }
  std::string mistake_of(const std::string& rows) const {
    try {
      return "none: " + check_suite(rows).what;
    } catch (const spec::InputError& error) {
      return error.what();
    }
  }

  TableFolder folder_;
};

TEST_F(Check, ASuitesWorkloadsAreReadToTheEnd) {
  EXPECT_EQ(check_suite(kGood).what, "suite, 1 rows to score and 0 skipped");
  EXPECT_THAT(mistake_of(kGood + row("a", "task: ops, system: h100_sxm, ops: [{op: gemn, m: 1, n: 2, k: 3}]")),
              HasSubstr("s.yaml:5:64: rows.1.workload.ops.0.op: "));
  EXPECT_THAT(mistake_of(row("a", "task: decod, system: h100_sxm")), HasSubstr("unknown task 'decod'"));
  EXPECT_THAT(mistake_of(row("a", "task: ops, system: h100_sxn, ops: [{op: gemm, m: 1, n: 2, k: 3, dtype: bf16}]")),
              HasSubstr("h100_sxn"));
}

TEST_F(Check, EveryRowsMistakesAreReported) {
  const std::string text = mistake_of(row("a", "task: decod, system: x") + row("b", "task: prefil, system: x"));
  EXPECT_THAT(text, HasSubstr("rows.0.workload.task: unknown task 'decod'"));
  EXPECT_THAT(text, HasSubstr("rows.1.workload.task: unknown task 'prefil'"));
}

TEST_F(Check, ATaskThatIsNotModelledIsNoMistake) {
  EXPECT_EQ(mistake_of(kGood + row("a", "task: serve, model: gpt2, system: h100_sxm")),
            "none: suite, 1 rows to score and 1 skipped");
}

TEST_F(Check, WarningsOfWorkloadsAreHandedOnOnce) {
  const std::string odd =
      "task: ops, system: h100_sxm, runtime: nosuch, ops: [{op: gemm, m: 1, n: 2, k: 3, dtype: bf16}]";
  const predict::Checked checked = check_suite(row("a", odd));
  ASSERT_THAT(checked.warnings, SizeIs(1));
  EXPECT_THAT(checked.warnings.front(), HasSubstr("nosuch"));
  EXPECT_THAT(check_suite(kGood).warnings, IsEmpty());
}

TEST_F(Check, AProtocolsNamesAreChecked) {
  const std::string file = folder_.write(
      "p.yaml", "schema: mlosim/protocol/1\nname: p\ndescription: d\nsource: s\nruntime: nosuchruntime\n");
  EXPECT_THROW(check(folder_.library(), file), spec::InputError);
}

TEST_F(Check, WhatIsNoMeasuredDataIsLeftToOthers) {
  EXPECT_FALSE(check(folder_.library(), "h100_sxm"));
  EXPECT_FALSE(check(folder_.library(), folder_.write("c.yaml", "schema: mlosim/chip/1\nname: c\n")));
}

TEST(ShippedSuites, HaveWorkloadsWithoutMistakes) {
  const spec::Library library({MLOSIM_SOURCE_DIR});
  for (const std::string& name : library.names(spec::Shelf::suites)) EXPECT_TRUE(check(library, name)) << name;
}

}  // namespace
}  // namespace mlosim::suite
