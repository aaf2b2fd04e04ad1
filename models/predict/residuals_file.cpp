// hw_specs/residuals.yaml: reading and writing.

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "models/predict/residuals.hpp"
#include "sim/spec/document.hpp"
#include "sim/units/format.hpp"

namespace mlosim::predict {
namespace {

constexpr std::string_view kFile = "hw_specs/residuals.yaml";
constexpr std::string_view kSchema = "mlosim/residuals/1";
constexpr std::array kAllSteps{Step::chip, Step::family, Step::runtime, Step::format, Step::op, Step::kind, Step::size};

StepDistance decode_step(spec::Node node) {
  StepDistance distance{.usual = node.require_number("usual", spec::Range::non_negative), .by_op = {}};
  for (auto& [op, own] : node.members()) {
    if (op != "usual") distance.by_op[op] = own.as_number(spec::Range::non_negative);
  }
  return distance;
}

SourcedNumber decode_sourced(spec::Node node) {
  SourcedNumber number{.value = node.require_number("value", spec::Range::non_negative),
                       .kind = node.require_text("kind"),
                       .source = node.require_text("source")};
  node.finish();
  return number;
}

double decode_correlation(spec::Node& node, std::string_view key) {
  const double correlation = node.require_number(key, spec::Range::non_negative);
  if (correlation > 1) node.fail_at(key, "a correlation is at most 1");
  return std::min(correlation, 1.0);
}

std::vector<ResidualCurve::Point> decode_points(spec::Node& node) {
  std::vector<ResidualCurve::Point> points;
  const std::vector<spec::Node> times = node.child("time").items(), lows = node.child("low").items(),
                                highs = node.child("high").items();
  if (times.empty() || lows.size() != times.size() || highs.size() != times.size()) {
    node.fail("'time', 'low' and 'high' are lists of one length", "one entry for each point of the curve");
    return {{.time = Seconds(1)}};
  }
  for (std::size_t i = 0; i < times.size(); ++i) {
    const ResidualCurve::Point point{.time = times[i].as<Seconds>(),
                                     .low = lows[i].as_number(spec::Range::any),
                                     .high = highs[i].as_number(spec::Range::any)};
    if (point.low > 0) lows[i].fail("a lower end is at most 0", "the prediction is inside its interval");
    if (point.high < 0) highs[i].fail("an upper end is at least 0", "the prediction is inside its interval");
    if (!points.empty() && point.time <= points.back().time) times[i].fail("times go up from point to point");
    points.push_back(point);
  }
  return points;
}

ResidualCurve decode_curve(spec::Node node) {
  ResidualCurve curve{.op = node.require_text("op"),
                      .chip = node.require_text("chip"),
                      .family = node.require_text("family"),
                      .formats = {},
                      .rows = static_cast<std::size_t>(node.require_count("rows")),
                      .shortest = node.require<Seconds>("shortest"),
                      .longest = node.require<Seconds>("longest"),
                      .points = decode_points(node)};
  for (auto& [runtime, formats] : node.require_mapping("formats").members()) {
    for (const spec::Node& format : formats.items()) curve.formats[runtime].push_back(format.as_text());
  }
  if (curve.longest < curve.shortest) node.fail_at("longest", "is shorter than 'shortest'");
  node.finish();
  return curve;
}

// A double-quoted YAML scalar.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string render_sourced(std::string_view key, const SourcedNumber& number) {
  return fmt::format("{}: {{value: {}, kind: {}, source: {}}}\n", key, number.value, number.kind,
                     quoted(number.source));
}

std::string render_curve(const ResidualCurve& curve) {
  std::string formats, times, lows, highs;
  for (const auto& [runtime, words] : curve.formats)
    formats += fmt::format("{}{}: [{}]", formats.empty() ? "" : ", ", runtime, fmt::join(words, ", "));
  for (const ResidualCurve::Point& point : curve.points) {
    const std::string_view comma = times.empty() ? "" : ", ";
    times += fmt::format("{}{}", comma, format_short(point.time, 4));
    lows += fmt::format("{}{:.3f}", comma, point.low);
    highs += fmt::format("{}{:.3f}", comma, point.high);
  }
  return fmt::format(
      "  - {{op: {}, chip: {}, family: {}, formats: {{{}}}, rows: {}, shortest: {}, longest: {}, time: [{}], "
      "low: [{}], high: [{}]}}\n",
      curve.op, curve.chip, curve.family, formats, curve.rows, format_short(curve.shortest, 4),
      format_short(curve.longest, 4), times, lows, highs);
}

}  // namespace

ResidualTable decode_residuals(spec::Node node) {
  ResidualTable table;
  node.expect_schema(kSchema);
  table.source = node.require_text("source");
  spec::Node steps = node.require_mapping("steps");
  for (const Step step : kAllSteps)
    table.steps[static_cast<std::size_t>(step)] = decode_step(steps.require_mapping(name_of(step)));
  steps.finish();
  spec::Node correlation = node.require_mapping("correlation");
  table.within_kind = decode_correlation(correlation, "within_kind");
  table.across_kinds = decode_correlation(correlation, "across_kinds");
  if (table.across_kinds > table.within_kind)
    correlation.fail_at("across_kinds", "operators of two kinds have less in common than those of one");
  correlation.finish();
  table.host = decode_sourced(node.require_mapping("host"));
  table.network = decode_sourced(node.require_mapping("network"));
  for (const spec::Node& curve : node.child("curves").items()) table.curves.push_back(decode_curve(curve));
  if (table.curves.empty()) node.fail_at("curves", "there is no curve", "write the file with 'mlosim validate'");
  node.finish();
  return table;
}

std::string render_residuals(const ResidualTable& table) {
  std::string out = fmt::format(
      "# Residuals ln(measured / predicted) of operator times: the ends of 80 % intervals along the predicted time.\n"
      "# Written by `mlosim validate SUITE... --residuals FILE`; models/predict/residuals.hpp says what each entry "
      "means.\nschema: {}\nsource: {}\n",
      kSchema, quoted(table.source));
  out += "steps:\n";
  for (const Step step : kAllSteps) {
    const StepDistance& distance = table.steps[static_cast<std::size_t>(step)];
    out += fmt::format("  {}: {{usual: {:.3f}", name_of(step), distance.usual);
    for (const auto& [op, own] : distance.by_op) out += fmt::format(", {}: {:.3f}", op, own);
    out += "}\n";
  }
  out += fmt::format("correlation: {{within_kind: {:.3f}, across_kinds: {:.3f}}}\n", table.within_kind,
                     table.across_kinds);
  out += render_sourced("host", table.host) + render_sourced("network", table.network);
  out += "curves:\n";
  for (const ResidualCurve& curve : table.curves) out += render_curve(curve);
  return out;
}

Residuals read_residuals(const spec::Library& library) {
  const auto file = library.find_file(kFile);
  if (!file) {
    throw spec::InputError(fmt::format("there is no {}", kFile),
                           "it comes with mlosim; 'mlosim validate SUITE... --residuals FILE' writes one");
  }
  const spec::Value document = spec::read_document(*file);
  spec::Decoding decoding;
  ResidualTable table = decode_residuals(spec::Node(&document, "residuals", &decoding));
  decoding.diagnostics.throw_if_any();
  return Residuals(std::move(table));
}

}  // namespace mlosim::predict
