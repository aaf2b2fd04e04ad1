// Golden: what `mlosim list` and the head of `mlosim show` print, word for word.
//
// A difference that is meant is taken over by running the command in the repository's root and committing the file:
//   build/release/bin/mlosim list chips > tests/golden/expected/list_chips.txt         (systems, models alike)
//   build/release/bin/mlosim show h100_sxm | sed -n 2,31p > tests/golden/expected/show_h100_sxm.txt
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "tests/support/run_command.hpp"
#include "tests/support/source_tree.hpp"

namespace {

using mlosim::support::read_text;
using mlosim::support::run_command;
using mlosim::support::shell_quoted;
using mlosim::support::source_dir;

std::string mlosim(const std::string& arguments) {
  const auto result = run_command("env -u MLOSIM_PATH " + shell_quoted(MLOSIM_BINARY) + " " + arguments, source_dir());
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return result.out;
}

std::string expected(const std::string& name) { return read_text(source_dir() / "tests/golden/expected" / name); }

TEST(Golden, ListsOfChipsSystemsAndModels) {
  for (const std::string shelf : {"chips", "systems", "models"})
    EXPECT_EQ(mlosim("list " + shelf), expected("list_" + shelf + ".txt"));
}

// The first line names the file, which lies elsewhere in every checkout.
TEST(Golden, HeadOfAShownChip) {
  constexpr int kFirst = 2, kLast = 31;
  std::istringstream text(mlosim("show h100_sxm"));
  std::string head, line;
  for (int number = 1; number <= kLast && std::getline(text, line); ++number) {
    if (number >= kFirst) head += line + "\n";
  }
  EXPECT_EQ(head, expected("show_h100_sxm.txt"));
}

}  // namespace
