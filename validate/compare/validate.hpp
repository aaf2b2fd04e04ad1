// Predictions against measurements: reads suites, predicts every row under its protocol, scores them by group. Used by
// `mlosim validate`; calibration shares its parts.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sim/chip/kernel.hpp"
#include "sim/spec/library.hpp"
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
  chip::Fidelity fidelity = chip::Fidelity::analytic;
  std::vector<GroupKey> group_by{GroupKey::device, GroupKey::op, GroupKey::dtype};
  std::size_t worst = 20;  // rows with the largest errors to report
};

struct Group {
  std::vector<std::string> key;  // as `group_by`
  Score score;
};

struct Validation {
  std::vector<suite::Table> tables;
  std::vector<ScoredRow> rows;          // of the chosen half, in the suites' order
  std::vector<suite::Skipped> skipped;  // of the chosen half, or of no known shape
  std::vector<std::string> warnings;    // each once; for standard error
  std::vector<GroupKey> group_by;
  std::vector<Group> groups;  // in order of their keys
  Score overall;
  std::vector<std::size_t> worst;  // into rows, the largest error first
};

// Suites are paths or names of validate/suites: CSV tables, or YAML suites of published figures. The baseline's three
// constants are those of each device, operator and format, however rows are grouped. Throws spec::InputError. The same
// result on 1 and N threads.
Validation validate(const spec::Library& library, const std::vector<std::string>& suites,
                    const ValidateOptions& options);

}  // namespace mlosim::compare
