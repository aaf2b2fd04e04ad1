// mlosim explain WORKLOAD.yaml: why it takes that long.

#include "models/predict/explain.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "models/predict/render_explanation.hpp"
#include "tools/mlosim/commands.hpp"
#include "tools/mlosim/output.hpp"
#include "tools/mlosim/word_option.hpp"
#include "tools/mlosim/workload_options.hpp"

namespace mlosim::cli {
namespace {

enum class Format { text, json };

struct Options {
  WorkloadArguments workload;
  predict::ExplainOptions explain;
  Format format = Format::text;
  std::optional<std::string> html, roofline;
};

int run_explain(Options options, const spec::Library& library) {
  const auto start = std::chrono::steady_clock::now();
  options.explain.predict = predict_options_of(options.workload);
  check_destinations({{"--html", options.html.value_or("")}, {"--roofline", options.roofline.value_or("")}},
                     {options.workload.workload});
  const predict::Explanation explanation = predict::explain(library, options.workload.workload, options.explain);
  for (const std::string& warning : explanation.prediction.warnings) std::cerr << "warning: " << warning << '\n';
  if (options.html) write_file(*options.html, predict::render_html(explanation));
  if (options.roofline) write_file(*options.roofline, predict::render_roofline_svg(explanation.roofline));
  if (options.format == Format::json) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::cout << predict::render_json(explanation, {.version = MLOSIM_VERSION, .seconds = seconds});
  } else {
    std::cout << predict::render_text(explanation);
  }
  return answer_of(explanation.prediction);
}

}  // namespace

Run add_explain(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "explain", "Say why a workload takes that long: time, bytes and energy of every operator, and its plans");
  add_workload_options(*command, options->workload);
  command->add_option("--op", options->explain.op, "of one operator alone: its name in the result, or its index there");
  command->add_option("--plans", options->explain.runners_up, "how many plans to list that lost against the one taken")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000));
  add_word_option<Format>(*command, "--format", options->format, {{"text", Format::text}, {"json", Format::json}},
                          "text or json")
      ->default_str("text");
  command->add_option("--html", options->html, "write it as a page for a browser to this file, too");
  command->add_option("--roofline", options->roofline, "write the roofline as an SVG picture to this file, too");
  return [options](const spec::Library& library) { return run_explain(*options, library); };
}

}  // namespace mlosim::cli
