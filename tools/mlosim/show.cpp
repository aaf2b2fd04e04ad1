// mlosim show NAME: the resolved YAML of one thing: a chip with its family's parameters, a system with its chip.

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <string>

#include "models/predict/check.hpp"
#include "tools/mlosim/commands.hpp"

namespace mlosim::cli {

Run add_show(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("show", "Show the resolved YAML of a chip, system, family, model, runtime or workload");
  command->add_option("name", *name, "a name (mlosim list …) or a file")->required();
  return [name](const spec::Library& library) {
    const predict::Shown shown = predict::show(library, *name);
    std::cout << "# " << shown.file << '\n' << shown.yaml << shown.silicon;
    return kDone;
  };
}

}  // namespace mlosim::cli
