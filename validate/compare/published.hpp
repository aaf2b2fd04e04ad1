// Published end-to-end figures beside what mlosim predicts for them: every measured field of a suite's rows is
// predicted on its own. Scoring is another file's work (score.hpp).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/predict/residuals.hpp"
#include "sim/spec/library.hpp"
#include "validate/compare/predict_row.hpp"
#include "validate/compare/scored_row.hpp"
#include "validate/suite/measurement.hpp"
#include "validate/suite/published.hpp"

namespace mlosim::compare {

// One measured field of one row; values in the unit of the field's name.
struct PublishedFigure {
  std::string id;      // of the row
  std::string op;      // "decode.tpot_s", "ops.time_s": the task and the field
  std::string device;  // the chip
  std::string dtype;   // of a network's weights, of the first operator otherwise
  Measure measure = Measure::time;
  double measured = 0, predicted = 0;
  // Of times and token rates: the relative interval of the row's time. What an analytic model of energy and bytes is
  // off by has not been measured, nor what a roofline is.
  std::optional<Range> interval{};
};

struct RowWarning {
  std::string id;  // of the row
  std::string text;
};

struct PublishedComparison {
  std::vector<PublishedFigure> figures;  // in the suite's order, a row's fields in that of kMeasuredFields
  std::vector<suite::Skipped> skipped;   // rows by id, fields as "id: field"
  std::vector<RowWarning> warnings;      // in the suite's order
};

// Predicts one row without sensitivities. A workload that mlosim cannot read or run is skipped with what is wrong with
// it first, a field that its task has no answer for with that. Never throws spec::InputError. `residuals` are for the
// intervals.
PublishedComparison compare_row(const spec::Library& library, const suite::PublishedRow& row,
                                const predict::Residuals& residuals, const Fineness& fineness = {});

// The rows of a suite one after the other.
PublishedComparison compare_suite(const spec::Library& library, const suite::PublishedSuite& suite,
                                  const predict::Residuals& residuals, const Fineness& fineness = {});

}  // namespace mlosim::compare
