// mlosim predict WORKLOAD.yaml: predicts one workload.

#include <CLI/CLI.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "models/predict/explain.hpp"
#include "models/predict/predict.hpp"
#include "models/predict/render.hpp"
#include "models/predict/render_explanation.hpp"
#include "sim/report/trace.hpp"
#include "tools/mlosim/commands.hpp"
#include "tools/mlosim/output.hpp"
#include "tools/mlosim/word_option.hpp"
#include "tools/mlosim/workload_options.hpp"

namespace mlosim::cli {
namespace {

enum class Format { text, json, csv };

struct Options {
  WorkloadArguments workload;
  Format format = Format::text;
  std::optional<std::string> trace, html;
};

// With a page, which explains it, too.
predict::Prediction make_prediction(const Options& options, const predict::PredictOptions& predict_options,
                                    const spec::Library& library) {
  if (!options.html) return predict::predict(library, options.workload.workload, predict_options);
  const predict::Explanation explanation =
      predict::explain(library, options.workload.workload, {.predict = predict_options, .op = {}, .runners_up = 0});
  write_file(*options.html, predict::render_html(explanation));
  return explanation.prediction;
}

int run_predict(const Options& options, const spec::Library& library) {
  const auto start = std::chrono::steady_clock::now();
  predict::PredictOptions predict_options = predict_options_of(options.workload);
  check_destinations({{"--trace", options.trace.value_or("")}, {"--html", options.html.value_or("")}},
                     {options.workload.workload});
  report::TraceWriter trace;
  if (options.trace) predict_options.trace = &trace;

  const predict::Prediction prediction = make_prediction(options, predict_options, library);
  for (const std::string& warning : prediction.warnings) std::cerr << "warning: " << warning << '\n';
  if (options.trace) write_file(*options.trace, trace.render(prediction.evaluation.chips));
  switch (options.format) {
    case Format::text:
      std::cout << predict::render_text(prediction);
      break;
    case Format::csv:
      std::cout << predict::render_csv(prediction);
      break;
    case Format::json: {
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      std::cout << predict::render_json(prediction, {.version = MLOSIM_VERSION, .seconds = seconds});
      break;
    }
  }
  return answer_of(prediction);
}

}  // namespace

Run add_predict(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("predict", "Predict one workload: time, throughput, MFU, memory, energy, cost, bottlenecks");
  add_workload_options(*command, options->workload);
  add_word_option<Format>(*command, "--format", options->format,
                          {{"text", Format::text}, {"json", Format::json}, {"csv", Format::csv}}, "text, json or csv")
      ->default_str("text");
  command->add_option("--html", options->html, "write a page with the explanation, for a browser, to this file");
  command->add_option("--trace", options->trace, "write a timeline for ui.perfetto.dev to this file");
  return [options](const spec::Library& library) { return run_predict(*options, library); };
}

}  // namespace mlosim::cli
