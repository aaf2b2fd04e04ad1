// Comma-separated values as RFC 4180 has them, line by line, with the place of every cell. Knows nothing of what the
// cells mean. Cells may be quoted; a quoted cell does not run over a line's end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mlosim::suite {

struct Cell {
  std::string text;
  int column = 1;  // of the first character, from 1
};

// The lines of a text, ends (\n or \r\n) stripped; a last line without an end counts. A byte order mark before the
// first is no part of it.
std::vector<std::string_view> lines_of(std::string_view text);

// The cells of one line. An open quote at its end leaves the last cell as it is and sets `torn`.
std::vector<Cell> cells_of(std::string_view line, bool& torn);

// The cell of a text: quoted where it needs to be.
std::string csv_cell(std::string_view text);

}  // namespace mlosim::suite
