// What holds for the repository as a whole: its folders explain themselves, its files stay small and finished, and they
// are formatted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/support/run_command.hpp"
#include "tests/support/source_tree.hpp"

namespace {

namespace fs = std::filesystem;
using mlosim::support::read_lines;
using mlosim::support::run_command;
using mlosim::support::shell_quoted;
using mlosim::support::source_dir;
using mlosim::support::source_files;
using testing::IsEmpty;

constexpr std::size_t kLongestReadme = 60;
constexpr std::size_t kLongestSource = 450;

const std::vector<std::string> kFolders = {"sim", "models", "hw_specs", "validate", "tools", "tests"};
const std::set<std::string> kSources = {".hpp", ".cpp", ".cu", ".cuh", ".py", ".sh", ".cmake", ".js"};

TEST(Repository, EveryFolderOfSourcesHasAReadmeOfAtMostOnePage) {
  std::set<fs::path> folders;
  for (const fs::path& file : source_files({"sim", "models"}, {".hpp", ".cpp"})) folders.insert(file.parent_path());
  for (const fs::path& folder : folders) {
    const fs::path readme = source_dir() / folder / "README.md";
    if (!fs::exists(readme)) {
      ADD_FAILURE() << folder << " has no README.md";
      continue;
    }
    const std::size_t lines = read_lines(readme).size();
    EXPECT_GT(lines, 0U) << readme;
    EXPECT_LE(lines, kLongestReadme) << readme;
  }
}

TEST(Repository, NoFolderIsNamedForWhatIsLeftOver) {
  const std::set<std::string> names = {"common", "util", "utils", "helper", "helpers", "misc"};
  std::vector<fs::path> found;
  for (const std::string& top : kFolders) {
    if (!fs::is_directory(source_dir() / top)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(source_dir() / top)) {
      if (entry.is_directory() && names.count(entry.path().filename().string()) > 0) found.push_back(entry.path());
    }
  }
  EXPECT_THAT(found, IsEmpty());
}

TEST(Repository, NoSourceIsTooLongToReadInOneGo) {
  std::vector<std::string> long_files;
  for (const fs::path& file : source_files(kFolders, kSources)) {
    const std::size_t lines = read_lines(source_dir() / file).size();
    if (lines > kLongestSource) long_files.push_back(file.string() + ": " + std::to_string(lines) + " lines");
  }
  EXPECT_THAT(long_files, IsEmpty());
}

TEST(Repository, NothingIsLeftUnfinished) {
  // Brackets keep this line from being found itself.
  const std::regex unfinished(R"(\b(TO[D]O|FIX[M]E|X[X]X)\b|[Nn]ot (yet )?implemented|[Uu]n[i]mplemented)");
  std::set<std::string> texts = kSources;
  texts.insert({".md", ".txt", ".yaml", ".json"});
  std::vector<std::string> found;
  for (const fs::path& file : source_files(kFolders, texts)) {
    const std::vector<std::string> lines = read_lines(source_dir() / file);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (std::regex_search(lines[i], unfinished)) {
        found.push_back(file.string() + ":" + std::to_string(i + 1) + ": " + lines[i]);
      }
    }
  }
  EXPECT_THAT(found, IsEmpty());
}

TEST(Repository, EverySourceIsFormatted) {
  // Other versions break the same lines differently.
  const std::string version = run_command("clang-format --version", source_dir()).out;
  if (version.find("version 14.") == std::string::npos) GTEST_SKIP() << "clang-format 14 is not installed";
  std::string command = "clang-format --dry-run --ferror-limit=1 -Werror";
  for (const fs::path& file : source_files(kFolders, {".hpp", ".cpp"})) command += " " + shell_quoted(file.string());
  const auto result = run_command(command, source_dir());
  EXPECT_EQ(result.exit_code, 0) << result.err << "mend with: clang-format -i FILE";
}

}  // namespace
