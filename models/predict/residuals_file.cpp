// hw_specs/residuals.yaml: reading and writing.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <variant>

#include "models/predict/residuals.hpp"
#include "models/predict/table_files.hpp"
#include "sim/spec/document.hpp"
#include "sim/spec/spelling.hpp"
#include "sim/units/format.hpp"
#include "sim/units/parse.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::predict {
namespace {

constexpr std::string_view kSchema = "mlosim/residuals/1";
constexpr std::array kAllSteps{Step::chip, Step::family, Step::runtime, Step::format, Step::op, Step::kind, Step::size};

// No residual is further off than that: a factor of e^10.
constexpr double kWidest = 10;

double decode_width(const spec::Node& node, double width) {
  if (std::abs(width) <= kWidest) return width;
  node.fail(fmt::format("{} is no logarithm of a ratio of times", width), fmt::format("at most {}", kWidest));
  return 0;
}

const std::vector<std::string>& operator_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    const auto add = [&](const work::Operator& op) { names.emplace_back(work::name_of(op)); };
    add(work::Gemm{});
    add(work::MoeGemm{});
    add(work::AttentionPrefill{});
    add(work::AttentionDecode{});
    add(work::MlaPrefill{});
    add(work::MlaDecode{});
    add(work::Embedding{});
    add(work::Sampling{});
    for (int kind = 0; kind <= static_cast<int>(work::ElementwiseKind::delta_rule); ++kind)
      add(work::Elementwise{.kind = static_cast<work::ElementwiseKind>(kind)});
    for (int kind = 0; kind <= static_cast<int>(work::CollectiveKind::p2p); ++kind)
      add(work::Collective{.kind = static_cast<work::CollectiveKind>(kind)});
    return names;
  }();
  return kNames;
}

void check_operator(const spec::Node& node, const std::string& op) {
  const std::vector<std::string>& known = operator_names();
  if (std::find(known.begin(), known.end(), op) == known.end())
    node.fail(fmt::format("no operator is called '{}'", op), spec::spelling_hint(op, known));
}

StepDistance decode_step(spec::Node node) {
  StepDistance distance;
  distance.usual = decode_width(node, node.require_number("usual", spec::Range::non_negative));
  for (auto& [op, own] : node.members()) {
    if (op == "usual") continue;
    check_operator(own, op);
    distance.by_op[op] = decode_width(own, own.as_number(spec::Range::non_negative));
  }
  return distance;
}

SourcedNumber decode_sourced(spec::Node node) {
  SourcedNumber number{.value = decode_width(node, node.require_number("value", spec::Range::non_negative)),
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

// A part of a node's text, as a quantity.
double decode_part(const spec::Node& node, std::string_view text, Dimension dimension) {
  const auto parsed = parse_quantity_as(text, dimension);
  if (const auto* error = std::get_if<ParseError>(&parsed)) {
    node.fail(error->message, error->hint);
    return 0;
  }
  return std::get<double>(parsed);
}

Seconds decode_time(const spec::Node& node, std::string_view text) {
  const Seconds time(decode_part(node, text, dimension_of(Seconds())));
  if (time > Seconds(0)) return time;
  node.fail(fmt::format("'{}' is no time that anything takes", text));
  return Seconds(1);
}

// The text around the last space: "17 ms -0.1" is "17 ms" and "-0.1".
std::pair<std::string_view, std::string_view> split_last(std::string_view text) {
  const std::size_t space = text.rfind(' ');
  if (space == std::string_view::npos) return {text, ""};
  return {text.substr(0, space), text.substr(space + 1)};
}

// "17.13 ms -0.148 0.057"
ResidualCurve::Point decode_point(const spec::Node& node) {
  const std::string text = node.as_text();
  const auto [before, high] = split_last(text);
  const auto [time, low] = split_last(before);
  if (high.empty() || low.empty()) {
    node.fail(fmt::format("'{}' is no point of a curve", text), "a time and the two ends: 17 ms -0.1 0.2");
    return {.time = Seconds(1)};
  }
  const ResidualCurve::Point point{.time = decode_time(node, time),
                                   .low = decode_width(node, decode_part(node, low, {})),
                                   .high = decode_width(node, decode_part(node, high, {}))};
  if (point.low > 0) node.fail("a lower end is at most 0", "the prediction is inside its interval");
  if (point.high < 0) node.fail("an upper end is at least 0", "the prediction is inside its interval");
  return point;
}

// "1.726 ms to 68.49 ms"
std::pair<Seconds, Seconds> decode_range(const spec::Node& node) {
  constexpr std::string_view kTo = " to ";
  const std::string text = node.as_text();
  const std::size_t to = text.find(kTo);
  if (to == std::string::npos) {
    node.fail(fmt::format("'{}' is no range of times", text), "the shortest and the longest: 2 us to 3 ms");
    return {Seconds(1), Seconds(1)};
  }
  const std::string_view whole = text;
  const std::pair<Seconds, Seconds> range{decode_time(node, whole.substr(0, to)),
                                          decode_time(node, whole.substr(to + kTo.size()))};
  if (range.second < range.first) node.fail("the longest time is shorter than the shortest");
  return range;
}

std::vector<ResidualCurve::Point> decode_points(const std::vector<spec::Node>& nodes, const ResidualCurve& curve) {
  std::vector<ResidualCurve::Point> points;
  for (const spec::Node& node : nodes) {
    const ResidualCurve::Point point = decode_point(node);
    if (point.time < curve.shortest || point.time > curve.longest)
      node.fail("a point is outside of the curve's 'times'");
    if (!points.empty() && point.time <= points.back().time) node.fail("times go up from point to point");
    points.push_back(point);
  }
  return points;
}

// A runtime and a number format: "vllm bf16/int4".
using Measured = std::pair<std::string, std::string>;

ResidualCurve decode_curve(spec::Node node, std::set<Measured>& seen) {
  ResidualCurve curve;
  for (const spec::Node& of : node.child("of").items()) {
    const std::string text = of.as_text();
    const auto [runtime, format] = split_last(text);
    if (format.empty()) of.fail(fmt::format("'{}' is no runtime and format", text), "such as: vllm bf16");
    if (!seen.emplace(runtime, format).second) of.fail(fmt::format("'{}' has two curves", text));
    curve.formats[std::string(runtime)].emplace_back(format);
  }
  if (curve.formats.empty()) node.fail_at("of", "there is nothing that the curve is of", "such as: [vllm bf16]");
  curve.rows = static_cast<std::size_t>(node.require_count("rows"));
  std::tie(curve.shortest, curve.longest) = decode_range(node.child("times"));
  curve.points = decode_points(node.child("ends").items(), curve);
  if (curve.points.empty()) {
    node.fail_at("ends", "there is no point", "such as: [17 ms -0.1 0.2]");
    curve.points = {{.time = Seconds(1)}};
  }
  node.finish();
  return curve;
}

std::vector<ResidualCurve> decode_curves(spec::Node node, spec::Node families) {
  std::vector<ResidualCurve> curves;
  for (auto& [op, of_op] : node.members()) {
    check_operator(of_op, op);
    for (auto& [chip, of_chip] : of_op.members()) {
      const std::string family = families.require_text(chip);
      std::set<Measured> seen;
      for (const spec::Node& curve : of_chip.items()) {
        curves.push_back(decode_curve(curve, seen));
        curves.back().op = op;
        curves.back().chip = chip;
        curves.back().family = family;
      }
    }
  }
  families.finish();
  return curves;
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
  std::string of, ends;
  for (const auto& [runtime, words] : curve.formats) {
    for (const std::string& word : words) of += fmt::format("{}{} {}", of.empty() ? "" : ", ", runtime, word);
  }
  for (const ResidualCurve::Point& point : curve.points) {
    ends +=
        fmt::format("{}{} {:.3f} {:.3f}", ends.empty() ? "" : ", ", format_short(point.time, 3), point.low, point.high);
  }
  return fmt::format("{{of: [{}], rows: {}, times: {} to {}, ends: [{}]}}", of, curve.rows,
                     format_short(curve.shortest, 3), format_short(curve.longest, 3), ends);
}

// Under its operator and chip, in the curves' order.
std::string render_curves(const std::vector<ResidualCurve>& curves) {
  std::string out = "curves:\n";
  const ResidualCurve* before = nullptr;
  for (const ResidualCurve& curve : curves) {
    const bool is_new_op = !before || before->op != curve.op;
    if (is_new_op) out += fmt::format("  {}:\n", curve.op);
    if (is_new_op || before->chip != curve.chip) out += fmt::format("    {}:\n", curve.chip);
    out += fmt::format("      - {}\n", render_curve(curve));
    before = &curve;
  }
  return out;
}

std::string render_chips(const std::vector<ResidualCurve>& curves) {
  std::map<std::string, std::string> families;
  for (const ResidualCurve& curve : curves) families[curve.chip] = curve.family;
  std::string out;
  for (const auto& [chip, family] : families) out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", chip, family);
  return fmt::format("chips: {{{}}}\n", out);
}

}  // namespace

ResidualTable decode_residuals(spec::Node node) {
  ResidualTable table;
  node.expect_schema(kSchema);
  table.source = node.require_text("source");
  table.fidelity = node.require_word<chip::Fidelity>(
      "fidelity", {{"analytic", chip::Fidelity::analytic}, {"event", chip::Fidelity::event}});
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
  table.curves = decode_curves(node.require_mapping("curves"), node.require_mapping("chips"));
  if (table.curves.empty()) node.fail_at("curves", "there is no curve", "write the file with 'mlosim validate'");
  node.finish();
  return table;
}

std::string render_residuals(const ResidualTable& table) {
  std::string out = fmt::format(
      "# Residuals ln(measured / predicted) of operator times: the ends of 80 % intervals along the predicted time.\n"
      "# Written by `mlosim validate SUITE... --residuals FILE`; models/predict/residuals.hpp says what each entry "
      "means.\nschema: {}\nsource: {}\nfidelity: {}\n",
      kSchema, quoted(table.source), chip::name_of(table.fidelity));
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
  return out + render_chips(table.curves) + render_curves(table.curves);
}

Residuals read_residuals(const spec::Library& library) {
  const auto file = library.find_file(kResidualsFile);
  if (!file) {
    throw spec::InputError(fmt::format("there is no {}", kResidualsFile),
                           "it comes with mlosim; 'mlosim validate SUITE... --residuals FILE' writes one");
  }
  const spec::Value document = spec::read_document(*file);
  spec::Decoding decoding;
  ResidualTable table = decode_residuals(spec::Node(&document, "residuals", &decoding));
  decoding.diagnostics.throw_if_any();
  return Residuals(std::move(table));
}

}  // namespace mlosim::predict
