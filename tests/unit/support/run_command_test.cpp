#include "tests/support/run_command.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace {

using mlosim::support::CommandResult;
using mlosim::support::run_command;
using mlosim::support::shell_quoted;

TEST(RunCommand, KeepsTheTwoOutputsApartAndReportsTheExitCode) {
  const CommandResult result = run_command("echo out; echo err >&2; exit 7", "/");
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_EQ(result.exit_code, 7);
}

TEST(RunCommand, RunsInTheDirectoryAndReadsTheInput) {
  EXPECT_EQ(run_command("pwd", "/usr").out, "/usr\n");
  EXPECT_EQ(run_command("cat", "/", "one\ntwo").out, "one\ntwo");
}

TEST(RunCommand, OutputLargerThanAPipeComesWhole) {
  const std::string text(1 << 20, 'x');
  EXPECT_EQ(run_command("cat", "/", text).out, text);
}

TEST(RunCommand, AnUnknownProgramOrADeathBySignalIsAnExitCodeAndAMissingDirectoryAnError) {
  EXPECT_EQ(run_command("/nonexistent/program", "/").exit_code, 127);
  EXPECT_EQ(run_command("sh -c 'kill -9 $$'", "/").exit_code, 137);
  EXPECT_THROW(run_command("true", "/nonexistent"), std::runtime_error);
}

TEST(RunCommand, QuotedWordsArriveAsTheyAre) {
  const std::string word = "it's \"$HOME\" \\ `x` *\n;";
  EXPECT_EQ(run_command("printf %s " + shell_quoted(word), "/").out, word);
}

}  // namespace
