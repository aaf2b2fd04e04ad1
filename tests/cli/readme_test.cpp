// The README's commands are run as a user would type them. In a block ```console or ```sh a line `$ command` is
// followed by what the command prints on standard output, word for word; a block ```sh without `$ ` is commands alone.
// `mlosim` and `tools/run` at the start of a command are the program under test, run in the repository's root. Of every
// command the scripts and YAML files that it names are looked up.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "tests/support/run_command.hpp"
#include "tests/support/source_tree.hpp"

namespace {

namespace fs = std::filesystem;
using mlosim::support::CommandResult;
using mlosim::support::read_lines;
using mlosim::support::run_command;
using mlosim::support::shell_quoted;
using mlosim::support::source_dir;

struct Example {
  std::string where;  // README.md:line
  std::string command;
  std::optional<std::string> output;  // none where the README shows none
};

// In order of appearance. A command whose line ends in a backslash goes on in the next line.
std::vector<Example> examples(const std::vector<std::string>& lines) {
  std::vector<Example> found;
  bool fenced = false, shell = false, prompts = false, continued = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    const bool prompt = line.rfind("$ ", 0) == 0;
    if (line.rfind("```", 0) == 0) {
      shell = !fenced && (line == "```sh" || line == "```console");
      fenced = !fenced;
      prompts = continued = false;
    } else if (shell && continued) {
      found.back().command += "\n" + line;
      continued = !line.empty() && line.back() == '\\';
    } else if (shell && prompts && !prompt) {
      *found.back().output += line + "\n";
    } else if (shell && !line.empty()) {
      prompts = prompt;
      found.push_back({.where = "README.md:" + std::to_string(i + 1),
                       .command = prompt ? line.substr(2) : line,
                       .output = prompt ? std::optional<std::string>("") : std::nullopt});
      continued = line.back() == '\\';
    }
  }
  return found;
}

// The command with the program under test in place of the name that a user types; none where it starts otherwise.
std::optional<std::string> under_test(const std::string& command) {
  std::smatch match;
  if (!std::regex_search(command, match, std::regex(R"(^(mlosim|(\./)?tools/run)(?=\s|$))"))) return std::nullopt;
  return shell_quoted(MLOSIM_BINARY) + std::string(match.suffix());
}

// Without the newlines at its end, which a reader of the README cannot see.
std::string shown(std::string text) {
  text.erase(text.find_last_not_of('\n') + 1);
  return text;
}

std::vector<Example> readme_examples() { return examples(read_lines(source_dir() / "README.md")); }

TEST(Readme, ShowsACommandOfTheProgramWithItsOutput) {
  int shown_with_output = 0;
  for (const Example& example : readme_examples()) {
    if (example.output && under_test(example.command)) ++shown_with_output;
  }
  EXPECT_GT(shown_with_output, 0);
}

TEST(Readme, EveryCommandPrintsWhatTheReadmeShows) {
  for (const Example& example : readme_examples()) {
    const std::optional<std::string> command = under_test(example.command);
    if (!example.output || !command) continue;
    const CommandResult result = run_command(*command, source_dir());
    EXPECT_EQ(shown(result.out), shown(*example.output)) << example.where << ": " << example.command << "\n"
                                                         << result.err;
    EXPECT_LE(result.exit_code, 2) << example.where << ": " << example.command << "\n" << result.err;
  }
}

TEST(Readme, EveryScriptAndFileThatACommandNamesIsThere) {
  const std::regex script(R"((?:^|\s)(?:\./)?(tools/\w+|\.ci/run)(?=\s|$))");
  const std::regex yaml(R"((?:^|\s)((?:models|hw_specs|validate)/\S+\.yaml)(?=\s|$))");
  for (const Example& example : readme_examples()) {
    const std::string& command = example.command;
    for (std::sregex_iterator name(command.begin(), command.end(), script), end; name != end; ++name) {
      const fs::path path = source_dir() / (*name)[1].str();
      EXPECT_TRUE(fs::is_regular_file(path) && access(path.c_str(), X_OK) == 0) << example.where << ": " << path;
    }
    for (std::sregex_iterator name(command.begin(), command.end(), yaml), end; name != end; ++name) {
      EXPECT_TRUE(fs::is_regular_file(source_dir() / (*name)[1].str())) << example.where << ": " << (*name)[1];
    }
  }
}

TEST(Readme, BlocksAreReadAsShown) {
  const std::vector<Example> found =
      examples({"text", "```sh", "tools/test", "", "tools/run a \\", "  b", "```", "```console", "$ mlosim x", "one",
                "", "two", "$ mlosim y", "```", "```yaml", "$ z", "```"});
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].command, "tools/test");
  EXPECT_EQ(found[0].output, std::nullopt);
  EXPECT_EQ(found[1].command, "tools/run a \\\n  b");
  EXPECT_EQ(found[2].where, "README.md:9");
  EXPECT_EQ(found[2].command, "mlosim x");
  EXPECT_EQ(found[2].output, "one\n\ntwo\n");
  EXPECT_EQ(found[3].command, "mlosim y");
  EXPECT_EQ(found[3].output, "");
}

}  // namespace
