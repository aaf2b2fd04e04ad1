#include "validate/suite/csv.hpp"

#include <algorithm>

namespace mlosim::suite {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
  }
  return lines;
}

std::vector<Cell> cells_of(std::string_view line, bool& torn) {
  std::vector<Cell> cells;
  torn = false;
  std::size_t at = 0;
  while (true) {
    Cell cell{.text = {}, .column = static_cast<int>(at) + 1};
    if (at < line.size() && line[at] == '"') {
      torn = true;
      for (++at; at < line.size(); ++at) {
        if (line[at] != '"') {
          cell.text += line[at];
        } else if (at + 1 < line.size() && line[at + 1] == '"') {
          cell.text += line[++at];
        } else {
          torn = false;
          ++at;
          break;
        }
      }
    }
    const std::size_t end = std::min(line.find(',', at), line.size());
    cell.text += line.substr(at, end - at);
    cells.push_back(std::move(cell));
    if (end == line.size()) return cells;
    at = end + 1;
  }
}

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace mlosim::suite
