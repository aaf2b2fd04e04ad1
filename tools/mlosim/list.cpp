// mlosim list SHELF: names of what is built in.

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <string>

#include "sim/spec/diagnostics.hpp"
#include "sim/spec/spelling.hpp"
#include "tools/mlosim/commands.hpp"

namespace mlosim::cli {

Run add_list(CLI::App& app) {
  auto shelf = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "list",
      "List what is built in: chips, systems, families, models, runtimes, workloads, studies, suites or protocols");
  command
      ->add_option("what", *shelf,
                   "chips, systems, families, models, runtimes, workloads, studies, suites or protocols")
      ->required();
  return [shelf](const spec::Library& library) {
    const auto known = spec::shelf_named(*shelf);
    if (!known)
      throw spec::InputError("there is no list of '" + *shelf + "'", spec::spelling_hint(*shelf, spec::shelf_names()));
    for (const std::string& name : library.names(*known)) std::cout << name << '\n';
    return kDone;
  };
}

}  // namespace mlosim::cli
