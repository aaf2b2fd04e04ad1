#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "models/explore/render_result.hpp"
#include "sim/units/format.hpp"

namespace mlosim::explore {
namespace {

constexpr std::size_t kMostRows = 40, kMostReasons = 12;

using Row = std::vector<std::string>;

std::size_t width_of(const std::string& text) {
  // Letters of UTF-8, not bytes.
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Objectives are made of counts more often than of clocks: "1921 /s" and not "1.921 kHz".
std::string text_of(double si, Dimension dimension) {
  return dimension == Dimension{.time = -1} ? fmt::format("{:.4g} /s", si) : format_short(si, dimension, 4);
}

std::string render_table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const Row& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line = " ";
    for (std::size_t c = 0; c < row.size(); ++c)
      line += " " + std::string(widths[c] - width_of(row[c]), ' ') + row[c] + (c + 1 < row.size() ? " " : "");
    text += line + "\n";
  }
  return text;
}

std::string table_of(const Result& r, const std::vector<std::size_t>& points) {
  std::vector<Row> rows(1);
  rows[0].push_back("point");
  for (const ResultColumn& column : r.columns) {
    if (column.varies) rows[0].push_back(column.label);
  }
  for (const ResultObjective& objective : r.objectives)
    rows[0].push_back(fmt::format("{} {}", objective.name, objective.maximises ? "(max)" : "(min)"));
  for (const std::size_t i : points) {
    if (rows.size() > kMostRows) break;
    const ResultPoint& point = r.kept[i];
    Row& row = rows.emplace_back();
    row.push_back(std::to_string(point.number));
    for (std::size_t c = 0; c < r.columns.size(); ++c) {
      if (r.columns[c].varies) row.push_back(point.labels[c]);
    }
    for (std::size_t o = 0; o < r.objectives.size(); ++o)
      row.push_back(text_of(point.objectives[o], r.objectives[o].dimension));
  }
  std::string text = render_table(rows);
  if (points.size() > kMostRows)
    text += fmt::format("  … and {} more: --format csv has them all\n", points.size() - kMostRows);
  return text;
}

}  // namespace

std::string render_text(const Result& r) {
  std::string text = fmt::format("{}\n", r.study);
  if (!r.description.empty()) text += fmt::format("  {}\n", r.description);
  text += fmt::format("  {} of {} points, {} fidelity, {}\n", r.method, r.space, r.fidelity,
                      r.workloads.size() == 1 ? r.workloads.front()
                                              : fmt::format("{} workloads ({})", r.workloads.size(), r.combination));
  text += fmt::format("  {} looked at, {} feasible\n", r.points, r.feasible);
  for (const ResultColumn& column : r.columns) {
    if (!column.varies && !r.kept.empty()) {
      const auto index = static_cast<std::size_t>(&column - r.columns.data());
      text += fmt::format("  {}: {}\n", column.label, r.kept.front().labels[index]);
    }
  }
  if (!r.infeasible.empty()) {
    text += "\nInfeasible\n";
    for (std::size_t i = 0; i < r.infeasible.size() && i < kMostReasons; ++i)
      text += fmt::format("  {:>9}  {}\n", r.infeasible[i].second, r.infeasible[i].first);
    if (r.infeasible.size() > kMostReasons)
      text += fmt::format("  … and {} more reasons\n", r.infeasible.size() - kMostReasons);
  }
  if (r.points == 0) text += "\nWithin the limits of the search there is no layout.\n";
  if (r.feasible == 0) return text + "\nNo point is feasible.\n";
  text += fmt::format("\n{} ({} point{})\n", r.objectives.size() > 1 ? "Pareto front" : "Best", r.front.size(),
                      r.front.size() == 1 ? "" : "s");
  text += table_of(r, r.front);
  if (!r.best_layouts.empty()) {
    text +=
        fmt::format("\nBest layout of each design, by {}\n", r.objectives.front().name) + table_of(r, r.best_layouts);
  } else if (r.best.size() > 1) {
    text += fmt::format("\nThe {} best by {}\n", r.best.size(), r.objectives.front().name) + table_of(r, r.best);
  }
  return text;
}

}  // namespace mlosim::explore
