// mlosim compare WORKLOAD… --systems a,b,c --chips n,m: predictions side by side.

#include "models/predict/compare.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "models/predict/render_comparison.hpp"
#include "sim/spec/diagnostics.hpp"
#include "tools/mlosim/commands.hpp"
#include "tools/mlosim/output.hpp"
#include "tools/mlosim/word_option.hpp"
#include "tools/mlosim/workload_options.hpp"

namespace mlosim::cli {
namespace {

enum class Format { text, json, csv };

struct Options {
  WorkloadArguments workload;
  predict::CompareOptions compare;
  Format format = Format::text;
  std::optional<std::string> html;
};

int run_compare_specs(const Options& options, const spec::Library& library) {
  const std::vector<std::string>& systems = options.compare.systems;
  if (systems.size() < 2)
    throw spec::InputError("there is no workload to compare",
                           "name one, or give two --systems to see the numbers that differ");
  if (options.format == Format::csv) throw spec::InputError("numbers that differ are text or JSON", "--format json");
  const auto differences = predict::compare_specs(library, systems);
  if (options.html) write_file(*options.html, predict::render_html(systems, differences));
  std::cout << (options.format == Format::json ? predict::render_json(systems, differences)
                                               : predict::render_text(systems, differences));
  return kDone;
}

int run_compare(Options options, const spec::Library& library) {
  if (options.compare.workloads.empty()) return run_compare_specs(options, library);
  const auto start = std::chrono::steady_clock::now();
  if (options.html) check_destination(*options.html, options.compare.workloads);
  options.compare.predict = predict_options_of(options.workload);
  options.compare.predict.sensitivities = false;
  const std::vector<predict::Compared> rows = predict::compare(library, options.compare);
  bool all_fit = true;
  for (const predict::Compared& row : rows) {
    if (!row.prediction) continue;
    for (const std::string& warning : row.prediction->warnings) std::cerr << "warning: " << warning << '\n';
    const auto& memory = row.prediction->evaluation.memory;
    all_fit &= !memory || memory->fits();
  }
  if (options.html) write_file(*options.html, predict::render_html(rows));
  switch (options.format) {
    case Format::text:
      std::cout << predict::render_text(rows);
      break;
    case Format::csv:
      std::cout << predict::render_csv(rows);
      break;
    case Format::json: {
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      std::cout << predict::render_json(rows, {.version = MLOSIM_VERSION, .seconds = seconds});
      break;
    }
  }
  return all_fit ? kDone : kAnswerIsNo;
}

}  // namespace

Run add_compare(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("compare", "Predict workloads on several systems or numbers of chips, side by side");
  command->add_option("workloads", options->compare.workloads,
                      "workload files, built-in workloads' names, or - for one on "
                      "standard input; none: the numbers in which the systems differ");
  command->add_option("--systems", options->compare.systems, "systems or chips, separated by commas")->delimiter(',');
  command->add_option("--chips", options->compare.chips, "numbers of chips, separated by commas")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  command->add_flag("--numbers", options->compare.lists_numbers,
                    "list the numbers of the machines that differ from the first row's, too");
  command->add_flag("--scale-batch", options->compare.scales_batch,
                    "let the batch grow with the chips (weak scaling), from the workload's own");
  add_prediction_options(*command, options->workload);
  add_word_option<Format>(*command, "--format", options->format,
                          {{"text", Format::text}, {"json", Format::json}, {"csv", Format::csv}}, "text, json or csv")
      ->default_str("text");
  command->add_option("--html", options->html, "write it as a page for a browser to this file, too");
  return [options](const spec::Library& library) { return run_compare(*options, library); };
}

}  // namespace mlosim::cli
