#include "tools/mlosim/workload_options.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <utility>

#include "models/predict/render.hpp"
#include "sim/spec/diagnostics.hpp"
#include "tools/mlosim/commands.hpp"
#include "tools/mlosim/word_option.hpp"

namespace mlosim::cli {
namespace {

constexpr std::int64_t kMostEvents = 1'000'000'000;  // hours of play

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

}  // namespace

void add_max_events(CLI::App& command, std::optional<std::int64_t>& max_events) {
  command
      .add_option_function<std::int64_t>(
          "--max-events", [&max_events](std::int64_t events) { max_events = events; },
          "bound the play of one kernel: beyond so many events its steps are coarser and equal waves folded "
          "(fidelity event)")
      ->default_str(std::to_string(chip::kMaxEvents))
      ->check(CLI::Range(std::int64_t{1}, kMostEvents));
}

std::int64_t max_events_of(const std::optional<std::int64_t>& max_events, bool plays_kernels) {
  if (max_events && !plays_kernels)
    throw spec::InputError("--max-events bounds the play of kernels, and none is played", "take --fidelity event");
  return max_events.value_or(chip::kMaxEvents);
}

void add_workload_options(CLI::App& command, WorkloadArguments& arguments) {
  WorkloadArguments& a = arguments;
  command.add_option("workload", a.workload, "a workload file, a built-in workload's name, or - for standard input")
      ->required();
  command.add_option("--system", a.system, "a system or chip instead of the workload's");
  command.add_option_function<std::int64_t>(
      "--chips", [&a](std::int64_t chips) { a.chips = chips; }, "how many chips");
  add_prediction_options(command, a);
}

void add_prediction_options(CLI::App& command, WorkloadArguments& a) {
  command.add_option("--set", a.settings, "key.path=value, laid over the workload or its hardware; may be repeated")
      ->allow_extra_args(false);
  add_word_option<chip::Fidelity>(command, "--fidelity", a.fidelity,
                                  {{"roofline", chip::Fidelity::roofline},
                                   {"analytic", chip::Fidelity::analytic},
                                   {"event", chip::Fidelity::event}},
                                  "roofline (a lower bound), analytic (closed forms) or event (kernels played tile by "
                                  "tile, where they can be)")
      ->default_str("event");
  add_max_events(command, a.max_events);
}

int answer_of(const predict::Prediction& prediction) {
  const auto& memory = prediction.evaluation.memory;
  if (!memory || memory->fits()) return kDone;
  std::cerr << "the workload does not fit: " << predict::render_shortfall(*memory) << '\n';
  return kAnswerIsNo;
}

predict::PredictOptions predict_options_of(const WorkloadArguments& arguments) {
  predict::PredictOptions options;
  options.workload.system = arguments.system;
  options.workload.chips = arguments.chips;
  for (const std::string& setting : arguments.settings) options.workload.settings.push_back(split_setting(setting));
  options.fidelity = arguments.fidelity;
  options.max_events = max_events_of(arguments.max_events, arguments.fidelity == chip::Fidelity::event);
  return options;
}

}  // namespace mlosim::cli
