// An installed mlosim answers as the one in the build tree does, from the data that were installed with it.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/support/run_command.hpp"
#include "tests/support/source_tree.hpp"

namespace {

namespace fs = std::filesystem;
using mlosim::support::CommandResult;
using mlosim::support::run_command;
using mlosim::support::shell_quoted;
using mlosim::support::TemporaryDirectory;

class Install : public testing::Test {
 protected:
  void SetUp() override {
    const CommandResult install = run_command(
        "cmake --install " + shell_quoted(MLOSIM_BUILD_DIR) + " --prefix " + shell_quoted(prefix_.path().string()),
        "/");
    ASSERT_EQ(install.exit_code, 0) << install.err;
  }

  // `binary` run with the built-in data alone.
  static CommandResult list_chips(const fs::path& binary) {
    return run_command("env -u MLOSIM_PATH " + shell_quoted(binary.string()) + " list chips", "/");
  }

  fs::path installed() const { return prefix_.path() / "bin" / "mlosim"; }

  TemporaryDirectory prefix_;
};

TEST_F(Install, TheInstalledProgramListsWhatTheBuiltOneLists) {
  const CommandResult result = list_chips(installed());
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out, "");
  EXPECT_EQ(result.out, list_chips(MLOSIM_BINARY).out);
}

TEST_F(Install, TheInstalledProgramReadsTheInstalledData) {
  ASSERT_NE(list_chips(installed()).out.find("h100_sxm"), std::string::npos);
  ASSERT_GT(fs::remove_all(prefix_.path() / "share/mlosim/hw_specs/chips"), 0U);
  EXPECT_EQ(list_chips(installed()).out.find("h100_sxm"), std::string::npos);
}

TEST_F(Install, TheInstalledProgramFindsTheModulesOfItsSearches) {
  const std::string study =
      "{schema: mlosim/study/1, name: s, workload: llama-3.1-8b_generate_h100, axes: {inference.batch: {from: 1, to: "
      "64, "
      "whole: true}}, objectives: time_s, method: {nsga2: {population: 8, generations: 1}}}";
  const CommandResult result =
      run_command("env -u MLOSIM_PATH " + shell_quoted(installed().string()) + " explore -", prefix_.path(), study);
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

}  // namespace
