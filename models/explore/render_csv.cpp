#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/explore/render_result.hpp"

namespace mlosim::explore {
namespace {

// Quoted where it must be (RFC 4180).
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

// Empty for what is no number: what reads tables takes that as missing.
std::string field(double x) { return std::isfinite(x) ? fmt::format("{}", x) : std::string(); }

// What is set, such as the number of chips, is not told again as what came out.
bool is_told(const Result& r, const ResultMetric& metric) {
  return r.workloads.size() > 1 || std::none_of(r.columns.begin(), r.columns.end(),
                                                [&](const ResultColumn& column) { return column.name == metric.name; });
}

std::string header(const Result& r) {
  std::string line = "point,feasible,on_front";
  for (const ResultColumn& column : r.columns) line += "," + field(column.name);
  for (const ResultObjective& objective : r.objectives) line += "," + field("objective:" + objective.name);
  for (const std::string& workload : r.workloads) {
    for (const ResultMetric& metric : r.metrics) {
      if (is_told(r, metric)) line += "," + field(r.workloads.size() == 1 ? metric.name : workload + "." + metric.name);
    }
  }
  return line + ",reason\n";
}

std::string row(const Result& r, const ResultPoint& point) {
  std::string line = fmt::format("{},{},{}", point.number, point.is_feasible(), point.on_front);
  for (std::size_t c = 0; c < r.columns.size(); ++c)
    line += "," + (std::isfinite(point.numbers[c]) ? field(point.numbers[c]) : field(point.labels[c]));
  for (std::size_t o = 0; o < r.objectives.size(); ++o)
    line += "," + (point.is_feasible() ? field(point.objectives[o]) : std::string());
  for (std::size_t w = 0; w < r.workloads.size(); ++w) {
    for (std::size_t m = 0; m < r.metrics.size(); ++m) {
      if (is_told(r, r.metrics[m]))
        line += "," + (w < point.metrics.size() ? field(point.metrics[w][m]) : std::string());
    }
  }
  return line + "," + field(point.reason) + "\n";
}

}  // namespace

std::string render_csv_front(const Result& r) {
  std::string text = header(r);
  for (const std::size_t i : r.front) text += row(r, r.kept[i]);
  return text;
}

std::string render_csv_points(const Result& r) {
  std::string text = header(r);
  for (const ResultPoint& point : r.kept) text += row(r, point);
  return text;
}

}  // namespace mlosim::explore
