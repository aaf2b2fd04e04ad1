// A measured row beside its prediction: what is scored, whatever it was measured of. A plain record without behaviour.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace mlosim::compare {

// What was measured, and in what unit its source gives it.
enum class Measure {
  time,        // seconds
  energy,      // joules
  power,       // watts of a chip
  memory,      // bytes
  token_rate,  // tokens a second and chip
};

struct Range {
  double low = 0, high = 0;

  bool contains(double value) const { return low <= value && value <= high; }
};

// A value as a cost, of which less is better: of a rate its inverse, seconds a token.
inline double cost_of(Measure measure, double value) { return measure == Measure::token_rate ? 1 / value : value; }
inline Range cost_of(Measure measure, const Range& values) {
  return measure == Measure::token_rate ? Range{1 / values.high, 1 / values.low} : values;
}
// A cost as the value that it is of, in the source's unit: the same step back.
template <class CostOrRange>
CostOrRange value_of(Measure measure, const CostOrRange& cost) {
  return cost_of(measure, cost);
}

// Seconds of a kernel at the rates of the data sheet.
struct DatasheetTimes {
  double roofline = 0;             // the lower bound
  double compute = 0, memory = 0;  // of matrix and vector work, and of bytes
};

struct ScoredRow {
  bool in_table = true;            // false for a published figure, and for the watts beside a table's time
  std::size_t table = 0, row = 0;  // where it stands
  std::string device{}, op{}, dtype{}, software{};
  std::string label{};  // "file.csv:17"
  Measure measure = Measure::time;
  double measured = 0, predicted = 0;         // costs
  std::optional<double> analytic{};           // the cost that a closed form predicts, beside a played one
  std::optional<Range> interval{};            // of the cost; where there is one for what was measured
  std::optional<DatasheetTimes> datasheet{};  // of a kernel
  bool fit_half = false;
  std::string plan{}, bound_by{};
};

}  // namespace mlosim::compare
