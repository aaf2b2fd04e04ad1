// What `mlosim validate --residuals` does: measures hw_specs/residuals.yaml anew on the suites' rows of shapes that
// nothing is fitted to, and says what the intervals from it hold.
#pragma once

#include <string>
#include <vector>

#include "sim/spec/library.hpp"

namespace mlosim::compare {

struct ResidualReport {
  std::string file;    // the text of residuals.yaml
  std::string checks;  // a table for people
};

// Suites are paths or names of CSV tables; YAML suites have no rows of single operators and are left aside. What such
// rows say nothing about, `host` and `network`, is carried over from the library's present file. Throws
// spec::InputError, also where no row can be predicted. The same text on 1 and N threads.
ResidualReport report_residuals(const spec::Library& library, const std::vector<std::string>& suites);

}  // namespace mlosim::compare
