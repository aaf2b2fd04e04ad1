#include "validate/compare/interval_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "models/predict/interval.hpp"
#include "validate/compare/residuals.hpp"

namespace mlosim::compare {
namespace {

using predict::Residuals;

void count(IntervalCheck& check, const Residuals& residuals, const Residual& row) {
  const predict::Quantiles ends = residuals.of(row.key);
  const bool is_inside = ends.lower() <= row.log_ratio && row.log_ratio <= ends.upper();
  for (Coverage* coverage : {&check.all, &check.by_chip[row.key.chip]}) {
    ++coverage->rows;
    coverage->inside += is_inside ? 1 : 0;
  }
}

// The rows that `known` admits: by key, and by whose parameters they were predicted with.
template <class Known>
ResidualRows rows_where(const ResidualRows& rows, Known known) {
  ResidualRows some;
  for (const Residual& row : rows.own) {
    if (known(row, row.key.chip, row.key.family)) some.own.push_back(row);
  }
  for (const BorrowedResidual& row : rows.borrowed) {
    if (known(row.residual, row.chip, row.family)) some.borrowed.push_back(row);
  }
  return some;
}

IntervalCheck check_chips(const ResidualRows& rows) {
  IntervalCheck check{.name = "chips of a known family", .all = {}, .by_chip = {}};
  std::set<std::string> chips;
  for (const BorrowedResidual& row : rows.borrowed) {
    if (row.family == row.residual.key.family) chips.insert(row.residual.key.chip);
  }
  for (const std::string& chip : chips) {
    const Residuals residuals(
        measure_residuals(rows_where(rows, [&](const Residual& row, const std::string& lender, const auto&) {
          return row.key.chip != chip && lender != chip;
        })));
    for (const BorrowedResidual& row : rows.borrowed) {
      if (row.residual.key.chip == chip && row.family == row.residual.key.family) count(check, residuals, row.residual);
    }
  }
  return check;
}

IntervalCheck check_families(const ResidualRows& rows) {
  IntervalCheck check{.name = "chips of an unknown family", .all = {}, .by_chip = {}};
  std::set<std::string> families;
  for (const BorrowedResidual& row : rows.borrowed) {
    if (row.family != row.residual.key.family) families.insert(row.residual.key.family);
  }
  for (const std::string& family : families) {
    const Residuals residuals(
        measure_residuals(rows_where(rows, [&](const Residual& row, const auto&, const std::string& lender) {
          return row.key.family != family && lender != family;
        })));
    for (const BorrowedResidual& row : rows.borrowed) {
      if (row.residual.key.family == family && row.family != family) count(check, residuals, row.residual);
    }
  }
  return check;
}

}  // namespace

IntervalCheck check_folds(const ResidualRows& rows) {
  IntervalCheck check{.name = "shapes of the other fold", .all = {}, .by_chip = {}};
  for (const bool first : {true, false}) {
    const ResidualRows measured =
        rows_where(rows, [&](const Residual& row, const auto&, const auto&) { return row.in_first_fold == first; });
    if (measured.own.empty()) continue;
    const Residuals residuals(measure_residuals(measured));
    for (const Residual& row : rows.own) {
      if (row.in_first_fold != first) count(check, residuals, row);
    }
  }
  return check;
}

std::vector<IntervalCheck> check_intervals(const ResidualRows& rows) {
  return {check_folds(rows), check_chips(rows), check_families(rows)};
}

std::string render_checks(const std::vector<IntervalCheck>& checks) {
  std::string out = fmt::format(
      "Out-of-fold coverage of {:.0f} % intervals: of rows that played no part in measuring them\n"
      "{:<28} {:>7} {:>8} {:>11} {:>8}\n",
      100 * predict::kIntervalLevel, "rows of", "rows", "inside", "chips from", "to");
  for (const IntervalCheck& check : checks) {
    double least = 1, most = 0;
    for (const auto& [chip, coverage] : check.by_chip) {
      least = std::min(least, coverage.share());
      most = std::max(most, coverage.share());
    }
    if (check.all.rows == 0) continue;
    out += fmt::format("{:<28} {:>7} {:>6.1f} % {:>9.1f} % {:>6.1f} %\n", check.name, check.all.rows,
                       100 * check.all.share(), 100 * least, 100 * most);
  }
  return out;
}

}  // namespace mlosim::compare
