// The baseline that a model of kernels has to beat: a roofline with three constants, fitted to the measurements of one
// operator and format on one device. Used by scoring (score.hpp).
//
//   t = t0 + max(compute / e1, memory / e2)
//
// Where it is wrong: everything that the kernel's shape decides besides its work and bytes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "validate/compare/scored_row.hpp"

namespace mlosim::compare {

struct ThreeConstants {
  double fixed = 0;                                      // seconds
  double compute_efficiency = 1, memory_efficiency = 1;  // at most 1

  double time(const DatasheetTimes& row) const;
};

// The three constants by least mean absolute relative error, of rows with data sheet times.
ThreeConstants fit_three_constants(const std::vector<const ScoredRow*>& rows);

// Rows that share three constants.
enum class Cell {
  device_op_dtype,
  op_dtype,  // on all devices: where the rows to fit on are other devices' than those to score
};

// Three constants for every cell of some rows. Rows without data sheet times have none and are passed over.
class ThreeConstantsByCell {
 public:
  // Fitted on the cell's `fit_rows`, or on the rows themselves where these have none of the cell: then the baseline
  // has seen what it is scored on.
  ThreeConstantsByCell(const std::vector<const ScoredRow*>& rows, const std::vector<const ScoredRow*>& fit_rows,
                       Cell cell = Cell::device_op_dtype);

  // Seconds; for rows of the cells, with data sheet times.
  double time(const ScoredRow& row) const;

 private:
  using Key = std::tuple<std::string, std::string, std::string>;
  using KeyView = std::tuple<std::string_view, std::string_view, std::string_view>;
  struct Less {
    using is_transparent = void;
    bool operator()(const KeyView& a, const KeyView& b) const { return a < b; }
  };
  KeyView key_of(const ScoredRow& row) const;

  Cell cell_;
  std::map<Key, ThreeConstants, Less> constants_;
};

}  // namespace mlosim::compare
