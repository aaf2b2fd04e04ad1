// Runs a shell command and hands back what it printed and how it ended. For the tests of the command line, which see
// mlosim as its users do.
#pragma once

#include <filesystem>
#include <string>

namespace mlosim::support {

struct CommandResult {
  int exit_code;    // 128 + n where signal n ended the command, as a shell reports it
  std::string out;  // standard output, byte for byte
  std::string err;  // standard error, byte for byte
};

// Runs `command` through /bin/sh in `directory`, with `input` as its standard input. Throws std::runtime_error where
// the shell cannot be started or `directory` does not exist.
CommandResult run_command(const std::string& command, const std::filesystem::path& directory,
                          const std::string& input = "");

// `word` in a form that the shell reads back as one word, whatever is in it.
std::string shell_quoted(const std::string& word);

}  // namespace mlosim::support
