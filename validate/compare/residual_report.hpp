// What `mlosim validate --residuals` does: measures hw_specs/residuals.yaml anew on the suites' rows of shapes that
// nothing is fitted to, and says what the intervals from it hold.
#pragma once

#include <string>
#include <vector>

#include "sim/spec/library.hpp"
#include "validate/compare/interval_check.hpp"
#include "validate/compare/predict_row.hpp"
#include "validate/compare/progress.hpp"

namespace mlosim::compare {

struct ResidualOptions {
  Fineness fineness{.fidelity = chip::Fidelity::event};  // of the predictions that are measured
  Progress progress{};
};

struct ResidualReport {
  std::string file;    // the text of residuals.yaml
  std::string checks;  // a table for people: out-of-fold coverage, not that of the rows that the file is measured on
};

// Suites are paths or names of CSV tables; YAML suites have no rows of single operators and are left aside. What such
// rows say nothing about, `host` and `network`, is carried over from the library's present file. Throws
// spec::InputError, also where no row can be predicted. The same text on 1 and N threads.
ResidualReport report_residuals(const spec::Library& library, const std::vector<std::string>& suites,
                                const ResidualOptions& options = {});

// How many rows of either fold of the suites' shapes are inside intervals measured on the other fold: the coverage to
// publish. Throws as above.
Coverage out_of_fold_coverage(const spec::Library& library, const std::vector<std::string>& suites,
                              const ResidualOptions& options = {});

}  // namespace mlosim::compare
