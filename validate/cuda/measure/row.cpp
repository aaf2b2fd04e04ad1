#include "validate/cuda/measure/row.hpp"

#include <array>
#include <cstdio>

namespace mlosim::measure {

Cell integer_cell(std::string column, std::int64_t value) { return {std::move(column), std::to_string(value)}; }

// The program never calls setlocale, so that %g writes a point.
Cell number_cell(std::string column, double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*g", digits, value);
  return {std::move(column), text.data()};
}

std::string_view value_of(const Cells& cells, std::string_view column) {
  for (const Cell& cell : cells)
    if (cell.column == column) return cell.value;
  return {};
}

}  // namespace mlosim::measure
