// mlosim-measure as a user without a GPU meets it: lists, plans, refusals. Skipped where it was not built for want of
// the CUDA toolkit. What runs on a GPU is hidden from it here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/cli/workplace.hpp"
#include "tests/support/run_command.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::cli_test {
namespace {

using testing::HasSubstr;

class Measure : public testing::Test {
 protected:
  void SetUp() override {
    if (std::string(MLOSIM_MEASURE).empty()) GTEST_SKIP() << "there is no CUDA toolkit to build mlosim-measure with";
  }

  CommandResult measure(const std::string& arguments) const {
    return support::run_command("env CUDA_VISIBLE_DEVICES= " + support::shell_quoted(MLOSIM_MEASURE) + " " + arguments,
                                folder_.path());
  }
  bool has_written_nothing() const { return std::filesystem::is_empty(folder_.path()); }

  support::TemporaryDirectory folder_;
};

TEST_F(Measure, ListsItsCasesWithoutAGpu) {
  const CommandResult result = measure("--list");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* name : {"memory.stream", "latency.chase", "launch.kernel", "gemm.", "peak.", "sustained."})
    EXPECT_THAT(result.out, HasSubstr(name));
}

TEST_F(Measure, PlansWithoutAGpuAndTheSameEachTime) {
  const CommandResult whole = measure("--dry-run");
  EXPECT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_THAT(whole.out, testing::StartsWith("plan for h100_sxm (nominal figures, no GPU was asked)\n"));
  EXPECT_EQ(measure("--dry-run").out, whole.out);
  EXPECT_THAT(measure("--dry-run --device-name a100_sxm_80gb").out, testing::StartsWith("plan for a100_sxm_80gb"));
  EXPECT_TRUE(has_written_nothing());
}

TEST_F(Measure, AShortBudgetTakesSomeOfEveryGroup) {
  const CommandResult result = measure("--budget 5min --dry-run");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("beyond the budget"));
  for (const char* group : {"\nmemory ", "\nlaunch ", "\npeak ", "\ngemm ", "\nelementwise ", "\nsustained "})
    EXPECT_THAT(result.out, HasSubstr(group));
}

TEST_F(Measure, FiltersChooseWhatIsPlanned) {
  const CommandResult result = measure("--dry-run --case memory.stream --axis op=copy --axis bytes=1MiB,1GiB");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("memory.stream op=copy bytes=1048576"));
  EXPECT_THAT(result.out, HasSubstr("all              2 states"));
}

TEST_F(Measure, WrongWordsHaveTheNearestSpelling) {
  expect_refused(measure("--dryrun"), {"--dryrun", "did you mean '--dry-run'?"});
  expect_refused(measure("--case memory.strem"), {"memory.strem", "did you mean 'memory.stream'?"});
  expect_refused(measure("--group memry"), {"did you mean 'memory'?"});
  expect_refused(measure("--axis byts=1"), {"did you mean 'bytes'?"});
  expect_refused(measure("--case memory.stream --axis bytes=3"), {"the axis 'bytes' has no value '3'"});
  expect_refused(measure("--budget 5"), {"--budget", "5min"});
  expect_refused(measure("--budget"), {"--budget needs a value"});
  expect_refused(measure("--criterion 2"), {"--criterion"});
  expect_refused(measure("--dry-run --device-name h100"), {"h100"});
  expect_refused(measure("--dry-run --group sustained --budget 1s"), {"no state fits a budget"});
  EXPECT_TRUE(has_written_nothing());
}

TEST_F(Measure, WithoutAGpuItSaysSoAndWritesNothing) {
  expect_refused(measure(""), {"the GPU cannot be used", "cudaGetDeviceCount", "hint: "});
  expect_refused(measure("--resume --output x.csv"), {"the GPU cannot be used"});
  EXPECT_TRUE(has_written_nothing());
}

TEST_F(Measure, HelpAndVersionAreNoMistakes) {
  EXPECT_EQ(measure("--help").exit_code, 0);
  EXPECT_THAT(measure("--help").out, HasSubstr("--resume"));
  EXPECT_THAT(measure("--version").out, testing::StartsWith("mlosim-measure "));
}

TEST_F(Measure, StandardOutputThatCannotBeWrittenIsReported) { EXPECT_EQ(measure("--list >/dev/full").exit_code, 2); }

}  // namespace
}  // namespace mlosim::cli_test
