// mlosim predict WORKLOAD.yaml: predicts one workload.

#include <CLI/CLI.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/predict/predict.hpp"
#include "models/predict/render.hpp"
#include "sim/report/trace.hpp"
#include "sim/spec/diagnostics.hpp"
#include "tools/mlosim/commands.hpp"
#include "tools/mlosim/output.hpp"
#include "tools/mlosim/word_option.hpp"

namespace mlosim::cli {
namespace {

enum class Format { text, json, csv };

struct Options {
  std::string workload;
  std::optional<std::string> system;
  std::optional<std::int64_t> chips;
  std::vector<std::string> settings;
  chip::Fidelity fidelity = chip::Fidelity::analytic;
  Format format = Format::text;
  std::optional<std::string> trace;
};

// "key.path=value".
std::pair<std::string, std::string> split_setting(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw spec::InputError({{.place = {"--set", 0, 0},
                             .path = text,
                             .message = "expected key.path=value",
                             .hint = "such as --set \"system.chip.hbm.bandwidth=9.6 TB/s\""}});
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

int run_predict(const Options& options, const spec::Library& library) {
  const auto start = std::chrono::steady_clock::now();
  predict::PredictOptions predict_options;
  predict_options.workload.system = options.system;
  predict_options.workload.chips = options.chips;
  for (const std::string& setting : options.settings)
    predict_options.workload.settings.push_back(split_setting(setting));
  predict_options.fidelity = options.fidelity;
  report::TraceWriter trace;
  if (options.trace) predict_options.trace = &trace;

  const predict::Prediction prediction = predict::predict(library, options.workload, predict_options);
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
  const auto& memory = prediction.evaluation.memory;
  if (!memory || memory->fits()) return kDone;
  std::cerr << "the workload does not fit: " << predict::render_shortfall(*memory) << '\n';
  return kAnswerIsNo;
}

}  // namespace

Run add_predict(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("predict", "Predict one workload: time, throughput, MFU, memory, energy, cost, bottlenecks");
  command
      ->add_option("workload", options->workload,
                   "a workload file, a built-in workload's name, or - for standard input")
      ->required();
  command->add_option("--system", options->system, "a system or chip instead of the workload's");
  command->add_option_function<std::int64_t>(
      "--chips", [options](std::int64_t chips) { options->chips = chips; }, "how many chips");
  command
      ->add_option("--set", options->settings,
                   "key.path=value, laid over the workload or its hardware; may be repeated")
      ->allow_extra_args(false);
  add_word_option<chip::Fidelity>(*command, "--fidelity", options->fidelity,
                                  {{"roofline", chip::Fidelity::roofline},
                                   {"analytic", chip::Fidelity::analytic},
                                   {"event", chip::Fidelity::event}},
                                  "roofline (a lower bound) or analytic; event is not in this version")
      ->default_str("analytic");
  add_word_option<Format>(*command, "--format", options->format,
                          {{"text", Format::text}, {"json", Format::json}, {"csv", Format::csv}}, "text, json or csv")
      ->default_str("text");
  command->add_option("--trace", options->trace, "write a timeline for ui.perfetto.dev to this file");
  return [options](const spec::Library& library) { return run_predict(*options, library); };
}

}  // namespace mlosim::cli
