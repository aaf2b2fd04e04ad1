// validate/torch/measure.py as a user runs it on a machine without a GPU: listing, planning, wrong words, and its own
// tests. Skipped where there is no Python 3.9.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/run_command.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::cli_test {
namespace {

using support::CommandResult;
using testing::HasSubstr;

class TorchMeasure : public testing::Test {
 protected:
  void SetUp() override {
    const CommandResult python = run("python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))'");
    if (python.exit_code != 0) GTEST_SKIP() << "there is no python3 of version 3.9 or later";
  }

  // A command in a folder of the test's own; Python leaves no compiled files beside the sources.
  CommandResult run(const std::string& command) const {
    return support::run_command("PYTHONDONTWRITEBYTECODE=1 " + command, folder_.path());
  }
  CommandResult measure(const std::string& arguments) const {
    const std::filesystem::path program = support::source_dir() / "validate/torch/measure.py";
    return run("python3 " + support::shell_quoted(program.string()) + " " + arguments);
  }
  bool leaves_nothing() const { return std::filesystem::is_empty(folder_.path()); }

 private:
  support::TemporaryDirectory folder_;
};

TEST_F(TorchMeasure, ListsItsCasesWithTheirAxes) {
  const CommandResult result = measure("--list");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* name : {"attention.prefill", "attention.decode", "moe.layer", "norm.rows", "linear.layer"})
    EXPECT_THAT(result.out, HasSubstr(name));
}

TEST_F(TorchMeasure, PlansWithoutAGpuAndWithoutPyTorch) {
  const CommandResult result = measure("--dry-run --budget 2min --device-name h200_sxm");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("plan for h200_sxm"));
  EXPECT_THAT(result.out, HasSubstr("more states are beyond the budget"));
  EXPECT_TRUE(leaves_nothing());
}

TEST_F(TorchMeasure, WrongWordsAreAnsweredWithTheNearestOnes) {
  const std::vector<std::pair<std::string, std::string>> answers = {{"--dry-rum", "did you mean '--dry-run'?"},
                                                                    {"--dry-run --case linear.lager", "linear.layer"},
                                                                    {"--budget 5", "write it with its unit"},
                                                                    {"--dry-run --device-name h100", "h100_sxm"}};
  for (const auto& [arguments, answer] : answers) {
    const CommandResult result = measure(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments;
    EXPECT_EQ(result.out, "") << arguments;
    EXPECT_THAT(result.err, HasSubstr(answer)) << arguments;
    EXPECT_TRUE(leaves_nothing()) << arguments;
  }
}

TEST_F(TorchMeasure, ItsOwnTestsPass) {
  const CommandResult result = run("sh -c 'cd " + support::shell_quoted(support::source_dir().string()) +
                                   " && PYTHONDONTWRITEBYTECODE=1 python3 -m unittest validate/torch/test_measure.py "
                                   "validate/torch/test_campaign.py'");
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

}  // namespace
}  // namespace mlosim::cli_test
