// mlosim: parses the command line, runs one command, turns errors into exit codes.

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "sim/spec/diagnostics.hpp"
#include "sim/spec/spelling.hpp"
#include "sim/units/check.hpp"
#include "tools/mlosim/commands.hpp"

namespace {

namespace fs = std::filesystem;

// $MLOSIM_PATH, then the data installed beside the program, or the source tree for a program in a build tree.
std::vector<std::string> library_roots() {
  std::vector<std::string> roots;
  if (const char* path = std::getenv("MLOSIM_PATH")) {
    const std::string text = path;
    for (std::size_t start = 0; start <= text.size();) {
      const std::size_t end = std::min(text.find(':', start), text.size());
      if (end > start) roots.push_back(text.substr(start, end - start));
      start = end + 1;
    }
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = program.parent_path().parent_path() / MLOSIM_INSTALLED_DATA;
  roots.push_back(!error && fs::is_directory(installed, error) ? installed.string() : MLOSIM_SOURCE_DATA);
  return roots;
}

// What was typed that no command or option is called, with the nearest that is; empty where the mistake is another.
std::string unknown_word(const CLI::App& app, const std::vector<std::string>& words) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  std::vector<std::string> known;
  if (chosen.empty()) {
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
      known.push_back(command->get_name());
    if (words.empty() || words.front().starts_with('-')) return "";
    return "no command is called '" + words.front() + "'; " + mlosim::spec::spelling_hint(words.front(), known);
  }
  for (const CLI::Option* option : chosen.front()->get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (const std::string& word : words) {
    const std::string name = word.substr(0, word.find('='));
    if (name.starts_with("--") && name.size() > 2 && std::find(known.begin(), known.end(), name) == known.end()) {
      return "no option is called '" + name + "'; " + mlosim::spec::spelling_hint(name, known);
    }
  }
  return "";
}

int run(int argc, char** argv) {
  CLI::App app{"Predicts how long an ML workload takes on accelerators, and why.", "mlosim"};
  app.set_version_flag("--version", "mlosim " MLOSIM_VERSION);
  app.require_subcommand(1);
  const std::vector<std::pair<std::string, mlosim::cli::Run>> commands{
      {"predict", mlosim::cli::add_predict(app)},    {"explain", mlosim::cli::add_explain(app)},
      {"compare", mlosim::cli::add_compare(app)},    {"explore", mlosim::cli::add_explore(app)},
      {"list", mlosim::cli::add_list(app)},          {"show", mlosim::cli::add_show(app)},
      {"check", mlosim::cli::add_check(app)},        {"validate", mlosim::cli::add_validate(app)},
      {"calibrate", mlosim::cli::add_calibrate(app)}};
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      if (const std::string unknown = unknown_word(app, {argv + 1, argv + argc}); !unknown.empty())
        throw mlosim::spec::InputError(unknown);
    }
    return app.exit(error) == 0 ? mlosim::cli::kDone : mlosim::cli::kWrongInput;
  }
  const mlosim::spec::Library library(library_roots());
  for (const auto& [name, command] : commands) {
    if (app.got_subcommand(name)) return command(library);
  }
  return mlosim::cli::kWrongInput;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int code = run(argc, argv);
    std::cout.flush();
    if (!std::cout) {
      std::cerr << "mlosim: standard output could not be written\n";
      return mlosim::cli::kWrongInput;
    }
    return code;
  } catch (const mlosim::spec::InputError& error) {
    std::cerr << error.what() << '\n';
    return mlosim::cli::kWrongInput;
  } catch (const std::exception& error) {
    std::cerr << "mlosim: this is our mistake, please report it: " << error.what() << '\n';
    return mlosim::cli::kOurBug;
  }
}
