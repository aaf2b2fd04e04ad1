// A folder of a test's own in which it writes files and runs mlosim as a user would, with the built-in data alone.
#pragma once

#include <filesystem>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/run_command.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::cli_test {

using support::CommandResult;

// One decode step of a small model on one chip: the workload that most tests start from. 7 lines.
inline const std::string kSmall =
    "schema: mlosim/workload/1\n"
    "name: small\n"
    "model: llama-3.1-8b\n"
    "task: decode\n"
    "system: h100_sxm\n"
    "precision: bf16\n"
    "inference: {batch: 8, prompt: 1024, output: 128}\n";

// `text` with its first `from` replaced by `to`; fails the test where there is none.
inline std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "'" << from << "' is not in\n" << text;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

class Workplace : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const {
    support::write_text(folder_.path() / name, text);
  }
  std::string read(const std::string& name) const { return support::read_text(folder_.path() / name); }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  bool has(const std::string& name) const { return std::filesystem::exists(folder_.path() / name); }

  // `mlosim <arguments>`, arguments as a shell reads them.
  CommandResult mlosim(const std::string& arguments, const std::string& input = "") const {
    return support::run_command("env -u MLOSIM_PATH " + command(arguments), folder_.path(), input);
  }
  // The same with $MLOSIM_PATH.
  CommandResult mlosim_with_path(const std::string& roots, const std::string& arguments) const {
    return support::run_command("MLOSIM_PATH=" + support::shell_quoted(roots) + " " + command(arguments),
                                folder_.path());
  }
  // Predicts `workload` from standard input.
  CommandResult predict(const std::string& workload, const std::string& options = "") const {
    return mlosim("predict - " + options, workload);
  }
  // The same, as the JSON document that is all of standard output; an empty object, and a failed test, where it is
  // none.
  nlohmann::json predict_json(const std::string& workload, const std::string& options = "") const {
    const CommandResult result = predict(workload, "--format json " + options);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    nlohmann::json json = nlohmann::json::parse(result.out, nullptr, false);
    EXPECT_TRUE(json.is_object()) << result.out;
    return json.is_object() ? json : nlohmann::json::object();
  }
  double time_of(const std::string& workload, const std::string& options = "") const {
    return predict_json(workload, options).value("time_s", -1.0);
  }

 private:
  static std::string command(const std::string& arguments) {
    return support::shell_quoted(MLOSIM_BINARY) + " " + arguments;
  }

  support::TemporaryDirectory folder_;
};

// Wrong input: exit code 2, nothing on standard output, and every one of `words` in the message.
inline void expect_refused(const CommandResult& result, const std::vector<std::string>& words) {
  EXPECT_EQ(result.exit_code, 2) << result.out << result.err;
  EXPECT_EQ(result.out, "");
  for (const std::string& word : words)
    EXPECT_NE(result.err.find(word), std::string::npos) << "no '" << word << "' in:\n" << result.err;
}

}  // namespace mlosim::cli_test
