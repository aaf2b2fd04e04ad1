#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "models/predict/describe_op.hpp"
#include "models/predict/escape_xml.hpp"
#include "models/predict/page_parts.hpp"
#include "models/predict/render_explanation.hpp"
#include "models/predict/render_parts.hpp"
#include "sim/units/format.hpp"

namespace mlosim::predict {
namespace {

constexpr std::size_t kMostOperators = 60, kMostBars = 25, kMostRows = 25;

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
  if (v.memory && !v.memory->fits()) out += warning_paragraph("Does not fit: " + render_shortfall(*v.memory));
  for (const std::string& warning : p.warnings) out += warning_paragraph(warning);
  return out;
}

std::string time_bar(const report::TimeBreakdown& breakdown) {
  return stacked_bar(time_slices(breakdown), [](double s) { return format_short(Seconds(s)); });
}

std::string energy_bar(const Prediction& p) {
  const report::EnergyParts& parts = p.evaluation.total.energy_parts;
  const double chips = static_cast<double>(p.evaluation.chips);
  std::vector<Slice> slices;
  const auto add = [&](std::string name, Joules energy) {
    if (energy > Joules(0)) slices.push_back({std::move(name), energy.si(), slices.size()});
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
    if (bytes > Bytes(0)) slices.push_back({name, bytes.si(), slices.size()});
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
  const double middle = kName + (kPageWidth - kName) / 2, half = (kPageWidth - kName) / 2 - 70;
  const double most = std::max(0.01, std::abs(list.front().elasticity));
  std::string drawing;
  for (std::size_t i = 0; i < shown; ++i) {
    const ParameterFacts& f = list[i];
    const double y = kRow * static_cast<double>(i) + 4, length = std::abs(f.elasticity) / most * half;
    const bool is_faster = f.elasticity < 0;
    drawing +=
        fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"end\">{} <tspan fill=\"#888\">{}</tspan></text>\n",
                    kName - 8, y + 13, escape_xml(f.parameter), escape_xml(f.value));
    drawing += fmt::format("<rect x=\"{:.1f}\" y=\"{:.0f}\" width=\"{:.1f}\" height=\"15\" fill=\"{}\"/>\n",
                           is_faster ? middle - length : middle, y, length, is_faster ? "#1f9d8a" : "#d9480f");
    drawing += fmt::format("<text x=\"{:.1f}\" y=\"{:.0f}\" text-anchor=\"{}\">{:+.3f} %</text>\n",
                           is_faster ? middle - length - 5 : middle + length + 5, y + 12, is_faster ? "end" : "start",
                           f.elasticity);
  }
  drawing += fmt::format("<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"0\" y2=\"{1:.0f}\" stroke=\"#555\"/>\n", middle,
                         kRow * static_cast<double>(shown));
  std::string out = svg_of(kRow * static_cast<double>(shown) + 10, 12, drawing);
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
  std::string out = summary(e) + section("Where the time goes", time_bar(p.evaluation.total.breakdown)) +
                    section("Memory of a chip", memory_bar(p.evaluation.memory)) +
                    section("Where the energy goes", energy_bar(p)) + section("Operators", operator_table(e));
  if (!e.roofline.points.empty()) out += section("Roofline", render_roofline_svg(e.roofline));
  out += section("Time for 1 % more of each number", elasticity_chart(e.what_if.elasticities)) +
         section("What would halve the time, alone", halved_table(e.what_if.halved_by)) +
         section("Numbers that the time is least sure of", doubts_table(e.what_if));
  if (p.silicon) out += section("Silicon of a chip", pre(render_silicon(*p.silicon, "")));
  return render_page(p.workload, out);
}

}  // namespace mlosim::predict
