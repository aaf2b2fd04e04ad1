#include "models/predict/compare.hpp"

#include <fmt/format.h>

#include <utility>

#include "models/predict/setting.hpp"
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

struct Run {
  Workload workload;
  Setting setting;
};

// Another task has nothing to be compared with.
void explain_row(const Run& base, const Run& run, const CompareOptions& options, Compared& row) {
  if (base.workload.task == run.workload.task)
    row.reasons = find_reasons(base.workload, base.setting, run.workload, run.setting, options.predict.fidelity);
  if (options.lists_numbers)
    row.differences = find_differences(base.setting.hardware.provenance, run.setting.hardware.provenance);
}

}  // namespace

std::vector<std::vector<Difference>> compare_specs(const spec::Library& library,
                                                   const std::vector<std::string>& systems) {
  std::vector<std::string> warnings;
  std::vector<std::vector<Difference>> all;
  std::optional<spec::ProvenanceTable> base;
  for (const std::string& system : systems) {
    spec::ProvenanceTable table = spec::require_hardware(library, system, {}, warnings).provenance;
    if (base) {
      all.push_back(find_differences(*base, table));
    } else {
      base = std::move(table);
    }
  }
  return all;
}

std::vector<Compared> compare(const spec::Library& library, const CompareOptions& options) {
  std::vector<std::optional<std::string>> systems(options.systems.begin(), options.systems.end());
  std::vector<std::optional<std::int64_t>> counts(options.chips.begin(), options.chips.end());
  if (systems.empty()) systems.emplace_back();
  if (counts.empty()) counts.emplace_back();
  std::vector<Compared> rows;
  std::optional<spec::InputError> first;
  std::optional<Run> base;
  const CostTables costs = read_cost_tables(library);
  const Residuals residuals = read_residuals(library);
  PredictOptions predict_options = options.predict;
  predict_options.costs = &costs;
  predict_options.residuals = &residuals;
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
          Run run{.workload = decode_workload(library, document, name, changes, warnings), .setting = {}};
          run.setting = read_setting(library, run.workload, warnings);
          row.prediction = predict(library, run.workload, run.setting, predict_options);
          if (base) explain_row(*base, run, options, row);
          std::vector<std::string>& said = row.prediction->warnings;
          said.insert(said.begin(), warnings.begin(), warnings.end());
          row.workload = row.prediction->workload;
          row.system = row.prediction->system;
          row.chips = row.prediction->evaluation.chips;
          if (!base) base = std::move(run);
        } catch (const spec::InputError& error) {
          if (!first) first = error;
          row.refusal = error.diagnostics().front().message;
        }
        rows.push_back(std::move(row));
      }
    }
  }
  if (!base && first) throw *first;
  return rows;
}

double gain(const Prediction& p, const Prediction& base) {
  if (p.tokens_per_s_per_chip && base.tokens_per_s_per_chip)
    return *p.tokens_per_s_per_chip / *base.tokens_per_s_per_chip;
  return base.evaluation.total.makespan / p.evaluation.total.makespan;
}

}  // namespace mlosim::predict
