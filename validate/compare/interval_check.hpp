// Whether intervals hold what they promise, on rows that they were not measured on: of shapes, chips and families that
// are left out. `mlosim validate --residuals` prints it beside what it writes.
//
//   Out-of-fold coverage of 80 % intervals: of rows that played no part in measuring them
//   rows of                         rows   inside  chips from       to
//   shapes of the other fold       33719   81.1 %      77.4 %   85.6 %
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "models/predict/residuals.hpp"
#include "validate/compare/residual_rows.hpp"

namespace mlosim::compare {

struct Coverage {
  std::size_t rows = 0, inside = 0;

  double share() const { return rows == 0 ? 0 : static_cast<double>(inside) / static_cast<double>(rows); }
};

// The coverage of rows that played no part in measuring the intervals they are held against.
struct IntervalCheck {
  std::string name;  // "shapes of the other fold"
  Coverage all;
  std::map<std::string, Coverage> by_chip;
};

// Three checks, each measuring everything anew, distances and correlations too, from what is not left out:
// - the rows of one fold of shapes, in intervals from the other;
// - chips whose family is known: rows predicted with what was fitted on a sibling, not on the chip (lending.hpp);
// - chips of a family that nothing is known of: rows predicted with what was fitted on other families.
std::vector<IntervalCheck> check_intervals(const ResidualRows& rows);
// The first of them alone: the figure to publish. The file's own rows are held better, as it was measured on them.
IntervalCheck check_folds(const ResidualRows& rows);

std::string render_checks(const std::vector<IntervalCheck>& checks);

}  // namespace mlosim::compare
