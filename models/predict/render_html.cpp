#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "models/predict/describe_op.hpp"
#include "models/predict/escape_xml.hpp"
#include "models/predict/render_explanation.hpp"
#include "models/predict/render_parts.hpp"
#include "sim/units/format.hpp"

namespace mlosim::predict {
namespace {

constexpr std::size_t kMostOperators = 60, kMostBars = 25, kMostRows = 25;
constexpr int kWidth = 1100;

constexpr const char* kStyle = R"(<style>
body { font: 14px/1.45 Helvetica, Arial, sans-serif; color: #222; max-width: 1120px; margin: 24px auto; padding: 0 12px; }
h1 { font-size: 22px; margin-bottom: 4px; }
h2 { font-size: 17px; margin: 30px 0 8px; border-bottom: 1px solid #ddd; padding-bottom: 3px; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; border-bottom: 1px solid #bbb; padding: 3px 10px 3px 0; }
td { padding: 3px 10px 3px 0; border-bottom: 1px solid #eee; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.warn { background: #fff3e0; border-left: 4px solid #e8590c; padding: 6px 10px; }
.note { color: #777; }
svg { max-width: 100%; height: auto; }
</style>
)";

struct Slice {
  std::string name;
  double value;
};

const char* colour_of(std::size_t i) {
  static constexpr const char* kColours[] = {"#1f5fbf", "#d9480f", "#1f9d8a", "#b03060", "#8e8e93",
                                             "#7a4bb5", "#c9a227", "#4b8b3b", "#5b7083", "#a0522d"};
  return kColours[i % std::size(kColours)];
}

// One bar cut into shares, and what each colour is, with its amount.
template <class Name>
std::string stacked_bar(const std::vector<Slice>& slices, Name amount_of) {
  double whole = 0;
  for (const Slice& slice : slices) whole += slice.value;
  std::string bar, legend;
  double x = 0, legend_x = 0;
  int legend_y = 64;
  for (std::size_t i = 0; i < slices.size() && whole > 0; ++i) {
    const double share = slices[i].value / whole, width = share * kWidth;
    bar += fmt::format("<rect x=\"{:.1f}\" y=\"4\" width=\"{:.1f}\" height=\"34\" fill=\"{}\"/>\n", x, width,
                       colour_of(i));
    if (width > 60)
      bar += fmt::format("<text x=\"{:.1f}\" y=\"26\" fill=\"white\" text-anchor=\"middle\">{:.0f} %</text>\n",
                         x + width / 2, 100 * share);
    const std::string text = fmt::format("{} {}", slices[i].name, amount_of(slices[i].value));
    const double length = 30 + 7.2 * static_cast<double>(text.size());
    if (legend_x + length > kWidth) {
      legend_x = 0;
      legend_y += 20;
    }
    legend += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{}\"/><text x=\"{:.1f}\" y=\"{}\">{}</text>\n",
        legend_x, legend_y - 11, colour_of(i), legend_x + 17, legend_y, escape_xml(text));
    legend_x += length;
    x += width;
  }
  return fmt::format(
      "<svg viewBox=\"0 0 {} {}\" width=\"{}\" font-family=\"Helvetica, Arial, sans-serif\" "
      "font-size=\"13\">\n{}{}</svg>\n",
      kWidth, legend_y + 10, kWidth, bar, legend);
}

std::string section(std::string_view title, const std::string& body) {
  return body.empty() ? body : fmt::format("<h2>{}</h2>\n{}", title, body);
}

std::string pre(const std::string& text) { return "<pre>" + escape_xml(text) + "</pre>\n"; }

std::string summary(const Explanation& e) {
  const Prediction& p = e.prediction;
  const Evaluation& v = p.evaluation;
  std::string rows;
  const auto add = [&](std::string_view label, const std::string& text) {
    rows += fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", label, escape_xml(text));
  };
  add("system", fmt::format("{}, {} x {}, runtime {}, fidelity {}", p.system, v.chips, p.chip, p.runtime,
                            chip::name_of(p.fidelity)));
  add("time", fmt::format("{} ({:.0f} % interval: {} to {})", format_short(v.total.makespan), 100 * kIntervalLevel,
                          format_short(p.interval.low), format_short(p.interval.high)));
  if (p.tokens_per_s)
    add("throughput", fmt::format("{:.4g} tokens/s, {:.4g} per chip", *p.tokens_per_s, *p.tokens_per_s_per_chip));
  add("MFU", percent(p.mfu));
  if (v.memory)
    add("memory", fmt::format("{} of {} per chip", format_short(v.memory->total()), format_short(v.memory->capacity)));
  add("power", fmt::format("{} per chip, {} in all", format_short(p.power_per_chip), format_short(p.energy)));
  if (p.economics.facility) add("energy of the facility", format_short(*p.economics.facility));
  if (p.economics.bill) {
    std::string text =
        fmt::format("{:.3g} USD ({})", p.economics.bill->total().si(), spec::name_of(p.economics.bill->basis));
    if (p.economics.per_million_tokens)
      text += fmt::format(", {:.3g} USD per million tokens", p.economics.per_million_tokens->si());
    add("cost", text);
  }
  if (p.silicon)
    add("silicon of a chip",
        fmt::format("{:.0f} mm2 of dies, made for {:.0f} USD", p.silicon->area_mm2, p.silicon->total().si()));
  std::string out = "<table>\n" + rows + "</table>\n";
  if (v.memory && !v.memory->fits())
    out += "<p class=\"warn\">Does not fit: " + escape_xml(render_shortfall(*v.memory)) + "</p>\n";
  for (const std::string& warning : p.warnings) out += "<p class=\"warn\">" + escape_xml(warning) + "</p>\n";
  return out;
}

std::string time_bar(const report::TimeBreakdown& b) {
  std::vector<Slice> slices;
  for (const auto& [name, time] :
       {std::pair{"compute", b.compute}, std::pair{"memory", b.memory},
        std::pair{"communication (exposed)", b.communication_exposed}, std::pair{"bubble", b.bubble},
        std::pair{"overhead", b.overhead}, std::pair{"optimizer", b.optimizer}}) {
    if (time > Seconds(0)) slices.push_back({name, time.si()});
  }
  return stacked_bar(slices, [](double s) { return format_short(Seconds(s)); });
}

std::string energy_bar(const Prediction& p) {
  const report::EnergyParts& parts = p.evaluation.total.energy_parts;
  const double chips = static_cast<double>(p.evaluation.chips);
  std::vector<Slice> slices;
  const auto add = [&](std::string name, Joules energy) {
    if (energy > Joules(0)) slices.push_back({std::move(name), energy.si()});
  };
  add("static", chips * (p.evaluation.total.energy - parts.in_chip()));
  for (const work::DType dtype : work::kDTypes)
    add(fmt::format("{} units", work::name_of(dtype)), chips * parts.matrix_of(dtype));
  add("vector units", chips * parts.vector);
  add("memory", chips * parts.memory);
  add("links", p.economics.links);
  add("nodes", p.economics.host);
  if (p.economics.facility) add("cooling", *p.economics.facility - p.energy - p.economics.links - p.economics.host);
  return stacked_bar(slices, [](double j) { return format_short(Joules(j)); });
}

std::string memory_bar(const std::optional<plan::MemoryPlan>& m) {
  if (!m) return "";
  std::vector<Slice> slices;
  for (const auto& [name, bytes] :
       {std::pair{"weights", m->weights}, std::pair{"KV cache", m->kv_cache}, std::pair{"activations", m->activations},
        std::pair{"gradients", m->gradients}, std::pair{"optimizer", m->optimizer},
        std::pair{"workspace", m->workspace}, std::pair{"free", m->capacity - m->total()}}) {
    if (bytes > Bytes(0)) slices.push_back({name, bytes.si()});
  }
  return stacked_bar(slices, [](double b) { return format_short(Bytes(b)); });
}

std::string operator_table(const Explanation& e) {
  std::string out =
      "<table>\n<tr><th>operator</th><th>shape</th><th class=\"n\">count</th><th class=\"n\">each</th><th "
      "class=\"n\">total</th><th class=\"n\">share</th><th>bound by</th><th>plan</th></tr>\n";
  for (std::size_t i = 0; i < std::min(e.operators.size(), kMostOperators); ++i) {
    const OperatorFacts& f = e.operators[i];
    const std::string more = f.names.size() > 1 ? fmt::format(" and {} more", f.names.size() - 1) : "";
    out += fmt::format(
        "<tr><td>{}</td><td>{} {}</td><td class=\"n\">{:.6g}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td>{}</td><td>{}</td></tr>\n",
        escape_xml(f.names.front() + more), work::name_of(f.op), escape_xml(describe_shape(f.op)), f.count,
        format_short(f.each), format_short(f.total), percent(f.share), chip::name_of(f.bound_by), escape_xml(f.detail));
  }
  out += "</table>\n";
  if (e.operators.size() > kMostOperators)
    out += fmt::format("<p class=\"note\">and {} more</p>\n", e.operators.size() - kMostOperators);
  return out;
}

// Bars to the left make it faster, to the right slower.
std::string elasticity_chart(const std::vector<ParameterFacts>& list) {
  if (list.empty()) return "";
  const std::size_t shown = std::min(list.size(), kMostBars);
  constexpr double kName = 430, kRow = 22;
  const double middle = kName + (kWidth - kName) / 2, half = (kWidth - kName) / 2 - 70;
  const double most = std::max(0.01, std::abs(list.front().elasticity));
  std::string out = fmt::format(
      "<svg viewBox=\"0 0 {0} {1:.0f}\" width=\"{0}\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\">\n",
      kWidth, kRow * static_cast<double>(shown) + 10);
  for (std::size_t i = 0; i < shown; ++i) {
    const ParameterFacts& f = list[i];
    const double y = kRow * static_cast<double>(i) + 4, length = std::abs(f.elasticity) / most * half;
    const bool is_faster = f.elasticity < 0;
    out +=
        fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"end\">{} <tspan fill=\"#888\">{}</tspan></text>\n",
                    kName - 8, y + 13, escape_xml(f.parameter), escape_xml(f.value));
    out += fmt::format("<rect x=\"{:.1f}\" y=\"{:.0f}\" width=\"{:.1f}\" height=\"15\" fill=\"{}\"/>\n",
                       is_faster ? middle - length : middle, y, length, is_faster ? "#1f9d8a" : "#d9480f");
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.0f}\" text-anchor=\"{}\">{:+.3f} %</text>\n",
                       is_faster ? middle - length - 5 : middle + length + 5, y + 12, is_faster ? "end" : "start",
                       f.elasticity);
  }
  out += fmt::format("<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"0\" y2=\"{1:.0f}\" stroke=\"#555\"/>\n</svg>\n", middle,
                     kRow * static_cast<double>(shown));
  if (list.size() > shown)
    out += fmt::format("<p class=\"note\">and {} more of less effect</p>\n", list.size() - shown);
  return out;
}

std::string halved_table(const std::vector<HalvedBy>& list) {
  if (list.empty()) return "";
  std::string out =
      "<table>\n<tr><th>number</th><th class=\"n\">is</th><th class=\"n\">would have to be</th><th "
      "class=\"n\">factor</th></tr>\n";
  for (const HalvedBy& h : list) {
    out += fmt::format(
        "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
        escape_xml(h.parameter), escape_xml(h.value),
        h.factor ? escape_xml(shorten(h.needed))
                 : fmt::format("cannot: {:.0f} % are left at {}", 100 * h.best, escape_xml(shorten(h.needed))),
        h.factor ? fmt::format("{:.3g}", *h.factor) : "");
  }
  return out + "</table>\n";
}

std::string doubts_table(const WhatIf& what_if) {
  if (what_if.doubts.empty()) return "";
  std::string out = fmt::format(
      "<p>All together, as if independent: {:.1f} % of the time.</p>\n<table>\n<tr><th>number</th><th "
      "class=\"n\">value</th><th>kind</th><th class=\"n\">uncertain by</th><th class=\"n\">the time "
      "by</th><th>source</th></tr>\n",
      100 * what_if.doubt);
  for (std::size_t i = 0; i < std::min(what_if.doubts.size(), kMostRows); ++i) {
    const ParameterFacts& f = what_if.doubts[i];
    out += fmt::format(
        "<tr><td>{}</td><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{:.0f} %</td><td class=\"n\">{:.2f} "
        "%</td><td>{}</td></tr>\n",
        escape_xml(f.parameter), escape_xml(f.value), spec::name_of(f.kind), 100 * f.uncertainty, 100 * f.effect(),
        escape_xml(f.source));
  }
  return out + "</table>\n";
}

}  // namespace

std::string render_html(const Explanation& e) {
  const Prediction& p = e.prediction;
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{0}</title>\n{1}</head>\n<body>\n"
      "<h1>{0}</h1>\n",
      escape_xml(p.workload), kStyle);
  out += summary(e) + section("Where the time goes", time_bar(p.evaluation.total.breakdown)) +
         section("Memory of a chip", memory_bar(p.evaluation.memory)) +
         section("Where the energy goes", energy_bar(p)) + section("Operators", operator_table(e));
  if (!e.roofline.points.empty()) out += section("Roofline", render_roofline_svg(e.roofline));
  out += section("Time for 1 % more of each number", elasticity_chart(e.what_if.elasticities)) +
         section("What would halve the time, alone", halved_table(e.what_if.halved_by)) +
         section("Numbers that the time is least sure of", doubts_table(e.what_if));
  if (p.silicon) out += section("Silicon of a chip", pre(render_silicon(*p.silicon, "")));
  return out + "</body>\n</html>\n";
}

}  // namespace mlosim::predict
