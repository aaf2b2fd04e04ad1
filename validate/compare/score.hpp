// How far predictions are from measurements: errors by group of rows, beside two baselines.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace mlosim::compare {

// One scored row.
struct ScoredRow {
  bool in_table = true;            // false for a published figure
  std::size_t table = 0, row = 0;  // where it stands
  std::string device{}, op{}, dtype{}, software{};
  std::string label{};  // "file.csv:17"
  // In the SI unit of what was measured: seconds of a kernel; of a published figure its own, a throughput as seconds a
  // token. Smaller is faster.
  double measured = 0, predicted = 0, low = 0, high = 0;
  double roofline = 0;             // lower bound from the datasheet
  double compute = 0, memory = 0;  // seconds of matrix and vector work, and of bytes, at datasheet rates
  bool fit_half = false;
  std::string plan{}, bound_by{};
};

// Errors as fractions: |predicted / measured - 1|; bias signed, positive where the prediction is too slow.
struct Score {
  std::size_t rows = 0;
  double mape = 0, median_ape = 0, p90_ape = 0, bias = 0;
  double interval_coverage = 0;  // share of rows inside their interval
  double roofline_mape = 0;
  double three_constants_mape = 0;  // t0 + max(compute/e1, memory/e2), the best for the group
};

// Scores rows; `fit_rows` are those that the three constants are fitted on (the same rows where nothing is held out).
Score score(const std::vector<const ScoredRow*>& rows, const std::vector<const ScoredRow*>& fit_rows);

// The three constants by least mean absolute relative error.
struct ThreeConstants {
  double fixed = 0;                                      // seconds
  double compute_efficiency = 1, memory_efficiency = 1;  // at most 1

  double time(const ScoredRow& row) const;
};
ThreeConstants fit_three_constants(const std::vector<const ScoredRow*>& rows);

}  // namespace mlosim::compare
