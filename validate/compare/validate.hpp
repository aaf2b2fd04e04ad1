// Predictions against measurements: reads suites, predicts every row under its protocol, scores them by group. Used by
// `mlosim validate`; calibration shares its parts.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sim/spec/library.hpp"
#include "validate/compare/disagreement.hpp"
#include "validate/compare/predict_row.hpp"
#include "validate/compare/progress.hpp"
#include "validate/compare/score.hpp"
#include "validate/suite/measurement.hpp"

namespace mlosim::compare {

// Which shapes of tables are scored: all, those that parameters were fitted on, or the others. Where the others are,
// the baseline's three constants are those of the fitted half. Nothing is fitted to published figures: they are scored
// whichever half is.
enum class Half { all, fit, score };

enum class GroupKey { device, op, dtype, software };

struct ValidateOptions {
  bool flagged = false;
  Half half = Half::all;
  Fineness fineness{.fidelity = chip::Fidelity::event};
  bool beside_analytic = false;  // every row is predicted in closed form, too
  std::vector<GroupKey> group_by{GroupKey::device, GroupKey::op, GroupKey::dtype};
  std::size_t worst = 20;  // rows with the largest errors to report, and of those that fidelities disagree about
  Progress progress{};     // of the rows of tables
};

struct Group {
  std::vector<std::string> key;  // as `group_by`
  Score score;
  std::optional<Disagreement> disagreement{};  // where rows were predicted in closed form, too
};

struct Validation {
  std::vector<suite::Table> tables;
  std::vector<ScoredRow> rows;          // of the chosen half, in the suites' order
  std::vector<suite::Skipped> skipped;  // of the chosen half, or of no known shape
  std::vector<std::string> warnings;    // each once; for standard error
  std::vector<GroupKey> group_by;
  std::vector<Group> groups;                 // in order of their keys
  Score overall;                             // of all but watts, which stand beside times of the same rows
  std::optional<Disagreement> disagreement;  // of all rows
  std::vector<std::size_t> worst;            // into rows, the largest error first
  std::vector<std::size_t> apart;            // into rows, those that the fidelities disagree most about first
};

// Suites are paths or names of validate/suites: CSV tables, or YAML suites of published figures. The baseline's three
// constants are those of each device, operator and format, however rows are grouped. Throws spec::InputError. The same
// result on 1 and N threads.
Validation validate(const spec::Library& library, const std::vector<std::string>& suites,
                    const ValidateOptions& options);

}  // namespace mlosim::compare
