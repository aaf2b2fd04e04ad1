// Residuals of single rows: what intervals are measured on (residuals.hpp) and checked against (interval_check.hpp).
#pragma once

#include <string>
#include <vector>

#include "models/predict/residuals.hpp"
#include "validate/compare/predict_row.hpp"
#include "validate/compare/progress.hpp"
#include "validate/suite/measurement.hpp"

namespace mlosim::compare {

struct Residual {
  predict::ResidualKey key;
  double log_ratio = 0;  // ln(measured / predicted)
  bool in_first_fold = false;
};

// A row predicted with what was fitted on another chip (lending.hpp), as a chip that was never measured is predicted.
struct BorrowedResidual {
  Residual residual;
  std::string chip, family;  // of the lender
};

struct ResidualRows {
  std::vector<Residual> own;               // in the tables' order
  std::vector<BorrowedResidual> borrowed;  // by row, then by lender
};

// The rows of the half that nothing is fitted to. A chip lends to chips of its kind and vendor that run the same
// runtime, for the operators and formats that at least 25 rows measured on it, where that tells of parameters that were
// not fitted to the borrower; collectives are no kernels of a chip and are not borrowed. The same result on 1 and N
// threads.
ResidualRows collect_residuals(const std::vector<suite::Table>& tables, const Machines& machines,
                               const Fineness& fineness = {}, const Progress& progress = {});

}  // namespace mlosim::compare
