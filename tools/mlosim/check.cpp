// mlosim check FILE…: reads specs, models, workloads, studies and measured data and reports every mistake found.

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/explore/check_study.hpp"
#include "models/predict/check.hpp"
#include "sim/spec/diagnostics.hpp"
#include "tools/mlosim/commands.hpp"
#include "validate/suite/check.hpp"

namespace mlosim::cli {

Run add_check(CLI::App& app) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* command =
      app.add_subcommand("check", "Read specs, models, workloads, studies and measured data and report every mistake");
  command->add_option("files", *files, "files or built-in names")->required();
  return [files](const spec::Library& library) {
    std::size_t wrong = 0;
    for (const std::string& file : *files) {
      try {
        std::optional<predict::Checked> other = suite::check(library, file);
        if (!other) other = explore::check(library, file);
        const predict::Checked checked = other ? *other : predict::check(library, file);
        for (const std::string& warning : checked.warnings) std::cerr << "warning: " << warning << '\n';
        std::cout << file << ": " << checked.what << ", no mistake found\n";
      } catch (const spec::InputError& error) {
        std::cerr << error.what() << '\n';
        ++wrong;
      }
    }
    return wrong == 0 ? kDone : kWrongInput;
  };
}

}  // namespace mlosim::cli
