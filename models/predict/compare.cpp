#include "models/predict/compare.hpp"

#include <fmt/format.h>

#include <utility>

#include "sim/spec/document.hpp"

namespace mlosim::predict {
namespace {

// "train.global_batch" or "inference.batch" of a run on `chips`, in proportion to what the workload says of its own.
std::pair<std::string, std::string> scaled_batch(const Workload& own, std::int64_t chips) {
  if (own.task == Task::ops)
    throw spec::InputError("bare operators have no batch that could grow with the chips", "leave out --scale-batch");
  const std::int64_t batch = own.training ? own.training->global_batch : own.inference.batch;
  const std::int64_t before = chips_of(own);
  if (batch * chips % before != 0) {
    throw spec::InputError(
        fmt::format("a batch of {} on {} chips does not grow to whole sequences on {}", batch, before, chips));
  }
  return {own.training ? "train.global_batch" : "inference.batch", std::to_string(batch * chips / before)};
}

}  // namespace

std::vector<Compared> compare(const spec::Library& library, const CompareOptions& options) {
  std::vector<std::optional<std::string>> systems(options.systems.begin(), options.systems.end());
  std::vector<std::optional<std::int64_t>> counts(options.chips.begin(), options.chips.end());
  if (systems.empty()) systems.emplace_back();
  if (counts.empty()) counts.emplace_back();
  std::vector<Compared> rows;
  std::optional<spec::InputError> first;
  bool any = false;
  for (const std::string& name : options.workloads) {
    const spec::Value document = spec::read_document(library.require(spec::Shelf::workloads, name));
    for (const auto& system : systems) {
      for (const auto& chips : counts) {
        Compared row{.workload = name, .system = system.value_or(""), .chips = chips, .prediction = {}, .refusal = {}};
        WorkloadOptions changes = options.predict.workload;
        if (system) changes.system = system;
        std::vector<std::string> warnings;
        try {
          if (options.scales_batch && chips) {
            std::vector<std::string> unscaled;  // said again of the run itself
            changes.settings.push_back(
                scaled_batch(decode_workload(library, document, name, changes, unscaled), *chips));
          }
          if (chips) changes.chips = chips;
          row.prediction =
              predict(library, decode_workload(library, document, name, changes, warnings), options.predict);
          std::vector<std::string>& said = row.prediction->warnings;
          said.insert(said.begin(), warnings.begin(), warnings.end());
          row.workload = row.prediction->workload;
          row.system = row.prediction->system;
          row.chips = row.prediction->evaluation.chips;
          any = true;
        } catch (const spec::InputError& error) {
          if (!first) first = error;
          row.refusal = error.diagnostics().front().message;
        }
        rows.push_back(std::move(row));
      }
    }
  }
  if (!any && first) throw *first;
  return rows;
}

double gain(const Prediction& p, const Prediction& base) {
  if (p.tokens_per_s_per_chip && base.tokens_per_s_per_chip)
    return *p.tokens_per_s_per_chip / *base.tokens_per_s_per_chip;
  return base.evaluation.total.makespan / p.evaluation.total.makespan;
}

}  // namespace mlosim::predict
