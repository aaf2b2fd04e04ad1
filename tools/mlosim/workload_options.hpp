// What the commands that predict one workload have in common: which workload, on what, how finely. Used by predict and
// explain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/predict/predict.hpp"

namespace CLI {
class App;
}

namespace mlosim::cli {

struct WorkloadArguments {
  std::string workload;
  std::optional<std::string> system;
  std::optional<std::int64_t> chips;
  std::vector<std::string> settings;  // "key.path=value"
  chip::Fidelity fidelity = chip::Fidelity::event;
  std::optional<std::int64_t> max_events;
};

// Declares the options on the command; `arguments` outlives it.
void add_workload_options(CLI::App& command, WorkloadArguments& arguments);

// Declares those of them that say how, and not of what on what.
void add_prediction_options(CLI::App& command, WorkloadArguments& arguments);

// Declares --max-events.
void add_max_events(CLI::App& command, std::optional<std::int64_t>& max_events);

// The bound that was given, or the usual one. Throws spec::InputError where no kernel is played.
std::int64_t max_events_of(const std::optional<std::int64_t>& max_events, bool plays_kernels);

// The exit code of a prediction; says on standard error what is missing where the workload does not fit.
int answer_of(const predict::Prediction& prediction);

// Throws spec::InputError.
predict::PredictOptions predict_options_of(const WorkloadArguments& arguments);

}  // namespace mlosim::cli
