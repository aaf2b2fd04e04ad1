#include "validate/compare/published.hpp"

#include <fmt/format.h>

#include <iterator>
#include <optional>
#include <utility>
#include <variant>

#include "models/predict/predict.hpp"
#include "models/predict/workload.hpp"
#include "sim/units/check.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::compare {
namespace {

using predict::Prediction;
using predict::Task;

struct DTypeOf {
  work::DType operator()(const work::Gemm& op) const { return op.activations; }
  work::DType operator()(const work::MoeGemm& op) const { return op.activations; }
  template <class Other>
  work::DType operator()(const Other& op) const {
    return op.dtype;
  }
};

std::string dtype_of(const predict::Workload& workload, const Prediction& p) {
  const work::DType dtype =
      workload.task == Task::ops ? std::visit(DTypeOf(), workload.ops.front()) : p.precision.weights;
  return std::string(work::name_of(dtype));
}

std::optional<double> seconds(const std::optional<Seconds>& time) {
  return time ? std::optional(time->si()) : std::nullopt;
}

Measure measure_of(std::string_view field) {
  if (field == "energy_j") return Measure::energy;
  if (field == "per_chip_bytes") return Measure::memory;
  return field.find("_per_s") == std::string_view::npos ? Measure::time : Measure::token_rate;
}

// Empty where the task has no answer.
std::optional<double> predicted(std::string_view field, const Prediction& p) {
  const predict::Evaluation& e = p.evaluation;
  if (field == "time_s") return e.total.makespan.si();
  if (field == "tokens_per_s_per_chip") return p.tokens_per_s_per_chip;
  if (field == "output_tokens_per_s_per_chip") return p.task == Task::prefill ? std::nullopt : p.tokens_per_s_per_chip;
  if (field == "ttft_s") return seconds(e.prefill_time);
  if (field == "tpot_s") return seconds(e.step_time);
  if (field == "energy_j") return p.energy.si();
  if (field == "per_chip_bytes") return e.memory ? std::optional(e.memory->total().si()) : std::nullopt;
  MLOSIM_CHECK(false);
}

std::optional<Range> interval_of(Measure measure, double value, const Prediction& p) {
  if (p.fidelity == chip::Fidelity::roofline) return std::nullopt;
  const double shorter = p.interval.low / p.evaluation.total.makespan;
  const double longer = p.interval.high / p.evaluation.total.makespan;
  switch (measure) {
    case Measure::time:
      return Range{value * shorter, value * longer};
    case Measure::token_rate:
      return Range{value / longer, value / shorter};
    case Measure::energy:
    case Measure::power:
    case Measure::memory:
      return std::nullopt;
  }
  MLOSIM_CHECK(false);
}

PublishedFigure make_figure(std::string_view field, double measured, double value, const Prediction& p) {
  PublishedFigure figure;
  figure.op = fmt::format("{}.{}", predict::name_of(p.task), field);
  figure.device = p.chip;
  figure.measure = measure_of(field);
  figure.measured = measured;
  figure.predicted = value;
  figure.interval = interval_of(figure.measure, value, p);
  return figure;
}

// What is wrong, without the place and the hint: the row is named beside it.
std::string reason_of(const spec::InputError& error) {
  const spec::Diagnostic& first = error.diagnostics().front();
  return first.path.empty() ? first.message : fmt::format("{}: {}", first.path, first.message);
}

}  // namespace

PublishedComparison compare_row(const spec::Library& library, const suite::PublishedRow& row,
                                const predict::Residuals& residuals, const Fineness& fineness) {
  PublishedComparison comparison;
  std::vector<std::string> warnings;
  const predict::CostTables costs;  // nobody measures money
  try {
    const predict::Workload workload = predict::decode_workload(library, row.workload, row.id, {}, warnings);
    predict::PredictOptions options;
    options.fidelity = fineness.fidelity;
    options.max_events = fineness.max_events;
    options.sensitivities = false;
    options.costs = &costs;
    options.residuals = &residuals;
    const Prediction p = predict::predict(library, workload, options);
    warnings.insert(warnings.end(), p.warnings.begin(), p.warnings.end());
    for (const std::string_view field : suite::kMeasuredFields) {
      const auto measured = row.measured.find(std::string(field));
      if (measured == row.measured.end()) continue;
      if (const auto value = predicted(field, p)) {
        PublishedFigure figure = make_figure(field, measured->second, *value, p);
        figure.id = row.id;
        figure.dtype = dtype_of(workload, p);
        comparison.figures.push_back(std::move(figure));
      } else {
        comparison.skipped.push_back({fmt::format("{}: {}", row.id, field),
                                      fmt::format("task '{}' has no {}", predict::name_of(p.task), field)});
      }
    }
  } catch (const spec::InputError& error) {
    comparison.skipped.push_back({row.id, reason_of(error)});
  }
  for (const std::string& warning : warnings) comparison.warnings.push_back({row.id, warning});
  return comparison;
}

PublishedComparison compare_suite(const spec::Library& library, const suite::PublishedSuite& suite,
                                  const predict::Residuals& residuals, const Fineness& fineness) {
  PublishedComparison all;
  for (const suite::PublishedRow& row : suite.rows) {
    PublishedComparison one = compare_row(library, row, residuals, fineness);
    std::move(one.figures.begin(), one.figures.end(), std::back_inserter(all.figures));
    std::move(one.skipped.begin(), one.skipped.end(), std::back_inserter(all.skipped));
    std::move(one.warnings.begin(), one.warnings.end(), std::back_inserter(all.warnings));
  }
  return all;
}

}  // namespace mlosim::compare
