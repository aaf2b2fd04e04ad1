// One line of the measurement CSV as named cells, in the spelling of the contract: device, op, dtype, the columns of
// the op, time_us, power_w, flag, software, source, and further columns that are carried along. Host side only: no
// CUDA.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mlosim::measure {

struct Cell {
  std::string column;
  std::string value;  // never holds a line break
};
using Cells = std::vector<Cell>;

Cell integer_cell(std::string column, std::int64_t value);
// With so many significant digits, never in a locale's spelling.
Cell number_cell(std::string column, double value, int digits = 6);

// Empty where there is no such column.
std::string_view value_of(const Cells& cells, std::string_view column);

}  // namespace mlosim::measure
