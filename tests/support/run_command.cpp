// The command's streams go through files in a directory of its own: no pipe can fill up and block it.
#include "tests/support/run_command.hpp"

#include <stdlib.h>
#include <sys/wait.h>

#include <stdexcept>

#include "tests/support/source_tree.hpp"

namespace mlosim::support {

namespace fs = std::filesystem;

CommandResult run_command(const std::string& command, const fs::path& directory, const std::string& input) {
  if (!fs::is_directory(directory)) throw std::runtime_error("not a directory: " + directory.string());
  const TemporaryDirectory streams;
  const auto stream = [&](const char* name) { return shell_quoted((streams.path() / name).string()); };
  write_text(streams.path() / "in", input);
  // Newlines around the command keep its own comments and here-documents from swallowing the parenthesis.
  const std::string line = "cd " + shell_quoted(directory.string()) + " && (\n" + command + "\n) <" + stream("in") +
                           " >" + stream("out") + " 2>" + stream("err");
  const int status = std::system(line.c_str());
  if (status == -1) throw std::runtime_error("the shell could not be started: " + command);
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .out = read_text(streams.path() / "out"),
          .err = read_text(streams.path() / "err")};
}

std::string shell_quoted(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace mlosim::support
