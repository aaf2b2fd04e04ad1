#include <fmt/format.h>

#include <algorithm>

#include "validate/compare/render.hpp"
#include "validate/suite/csv.hpp"

namespace mlosim::compare {
namespace {

std::vector<std::string> cell_texts(std::string_view line) {
  bool torn = false;
  std::vector<std::string> texts;
  for (suite::Cell& cell : suite::cells_of(line, torn)) texts.push_back(std::move(cell.text));
  return texts;
}

// The columns of all tables, each once, in the order in which they first stand.
class Columns {
 public:
  Columns(const std::vector<suite::Table>& tables, bool has_figures) {
    for (const suite::Table& table : tables) {
      std::vector<std::size_t> places;
      for (const std::string& name : cell_texts(table.header)) {
        const auto known = std::find(names_.begin(), names_.end(), name);
        places.push_back(static_cast<std::size_t>(known - names_.begin()));
        if (known == names_.end()) names_.push_back(name);
      }
      places_.push_back(std::move(places));
    }
    for (const char* name : {"id", "device", "op", "dtype", "time_us"}) {
      if (has_figures && std::find(names_.begin(), names_.end(), name) == names_.end()) names_.emplace_back(name);
    }
  }

  std::string header() const { return line_of(names_); }

  // A row of a table, its cells under the common columns. Every cell of a line ends in a comma.
  std::string row(std::size_t table, std::string_view text) const {
    std::vector<std::string> cells(names_.size());
    const std::vector<std::string> own = cell_texts(text);
    for (std::size_t i = 0; i < own.size(); ++i) cells[places_[table][i]] = own[i];
    return line_of(cells);
  }

  // A published time, or time of a token.
  std::string figure(const ScoredRow& row) const {
    std::vector<std::string> cells(names_.size());
    for (const auto& [name, text] : {std::pair<std::string_view, std::string>{"id", row.label},
                                     {"device", row.device},
                                     {"op", row.op},
                                     {"dtype", row.dtype},
                                     {"time_us", fmt::format("{:.6g}", row.measured * 1e6)}}) {
      cells[static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin())] = text;
    }
    return line_of(cells);
  }

 private:
  static std::string line_of(const std::vector<std::string>& cells) {
    std::string line;
    for (const std::string& cell : cells) line += suite::csv_cell(cell) + ',';
    return line;
  }

  std::vector<std::string> names_;
  std::vector<std::vector<std::size_t>> places_;  // by table and its column
};

}  // namespace

std::string render_predictions(const Validation& v, std::vector<std::string>& warnings) {
  const auto is_figure = [](const ScoredRow& row) {
    return !row.in_table && (row.measure == Measure::time || row.measure == Measure::token_rate);
  };
  const Columns columns(v.tables, std::any_of(v.rows.begin(), v.rows.end(), is_figure));
  const bool has_analytic = v.disagreement.has_value();
  std::string text = columns.header() + "predicted_us,low_us,high_us" + (has_analytic ? ",analytic_us\n" : "\n");
  std::size_t left_out = 0;
  for (const ScoredRow& row : v.rows) {
    if (row.measure == Measure::power) continue;  // its row is written with its time
    if (!row.in_table && !is_figure(row)) {
      ++left_out;
      continue;
    }
    const std::string cells =
        row.in_table ? columns.row(row.table, v.tables[row.table].texts[row.row]) : columns.figure(row);
    text += fmt::format("{}{:.6g},", cells, row.predicted * 1e6);
    text += row.interval ? fmt::format("{:.6g},{:.6g}", row.interval->low * 1e6, row.interval->high * 1e6) : ",";
    text += row.analytic ? fmt::format(",{:.6g}\n", *row.analytic * 1e6) : "\n";
  }
  if (left_out > 0)
    warnings.push_back(fmt::format("{} published figures are no times: their predictions are not written", left_out));
  return text;
}

}  // namespace mlosim::compare
