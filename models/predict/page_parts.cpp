#include "models/predict/page_parts.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "models/predict/escape_xml.hpp"

namespace mlosim::predict {
namespace {

constexpr const char* kStyle = R"(<style>
body { font: 14px/1.45 Helvetica, Arial, sans-serif; color: #222; max-width: 1120px; margin: 24px auto; padding: 0 12px; }
h1 { font-size: 22px; margin-bottom: 4px; }
h2 { font-size: 17px; margin: 30px 0 8px; border-bottom: 1px solid #ddd; padding-bottom: 3px; }
h3 { font-size: 14px; margin: 16px 0 4px; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; border-bottom: 1px solid #bbb; padding: 3px 10px 3px 0; vertical-align: bottom; }
td { padding: 3px 10px 3px 0; border-bottom: 1px solid #eee; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.warn { background: #fff3e0; border-left: 4px solid #e8590c; padding: 6px 10px; }
.note { color: #777; }
.bad { color: #c92a2a; font-weight: 600; }
svg { max-width: 100%; height: auto; }
</style>
)";

double sum_of(const std::vector<Slice>& slices) {
  double whole = 0;
  for (const Slice& slice : slices) whole += slice.value;
  return whole;
}

}  // namespace

const char* colour_of(std::size_t i) {
  static constexpr const char* kColours[] = {"#1f5fbf", "#d9480f", "#1f9d8a", "#b03060", "#8e8e93",
                                             "#7a4bb5", "#c9a227", "#4b8b3b", "#5b7083", "#a0522d"};
  return kColours[i % std::size(kColours)];
}

std::string render_page(const std::string& title, const std::string& body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{0}</title>\n{1}</head>\n<body>\n"
      "<h1>{0}</h1>\n{2}</body>\n</html>\n",
      escape_xml(title), kStyle, body);
}

std::string section(std::string_view title, const std::string& body) {
  return body.empty() ? body : fmt::format("<h2>{}</h2>\n{}", escape_xml(title), body);
}

std::string warning_paragraph(const std::string& text) { return "<p class=\"warn\">" + escape_xml(text) + "</p>\n"; }

std::string svg_of(double height, int font_size, const std::string& drawing) {
  return fmt::format(
      "<svg viewBox=\"0 0 {0} {1:.0f}\" width=\"{0}\" font-family=\"Helvetica, Arial, sans-serif\" "
      "font-size=\"{2}\">\n{3}</svg>\n",
      kPageWidth, height, font_size, drawing);
}

std::string draw_stack(const std::vector<Slice>& slices, const StackPlace& place, const AmountText& amount_of) {
  constexpr double kRoomForShare = 45;
  const double whole = sum_of(slices);
  std::string out;
  double x = place.x;
  for (const Slice& slice : slices) {
    const double width = slice.value * place.scale, share = 100 * slice.value / whole;
    out += fmt::format(
        "<rect x=\"{:.2f}\" y=\"{:.0f}\" width=\"{:.2f}\" height=\"{:.0f}\" fill=\"{}\"><title>{} {}, {:.1f} "
        "%</title></rect>\n",
        x, place.y, width, place.height, colour_of(slice.colour), escape_xml(slice.name),
        escape_xml(amount_of(slice.value)), share);
    if (width > kRoomForShare)
      out += fmt::format(
          "<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"white\" text-anchor=\"middle\" pointer-events=\"none\">{:.0f} "
          "%</text>\n",
          x + width / 2, place.y + place.height / 2 + 4.5, share);
    x += width;
  }
  return out;
}

std::string draw_legend(const std::vector<std::pair<std::string, std::size_t>>& entries, double& y) {
  constexpr double kRow = 20, kSwatch = 42, kCharacter = 7.2;
  std::string out;
  double x = 0;
  for (const auto& [text, colour] : entries) {
    const double length = kSwatch + kCharacter * static_cast<double>(text.size());
    if (x > 0 && x + length > kPageWidth) {
      x = 0;
      y += kRow;
    }
    out += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.0f}\" width=\"12\" height=\"12\" fill=\"{}\"/><text x=\"{:.1f}\" "
        "y=\"{:.0f}\">{}</text>\n",
        x, y, colour_of(colour), x + 17, y + 11, escape_xml(text));
    x += length;
  }
  y += kRow;
  return out;
}

std::string stacked_bar(const std::vector<Slice>& slices, const AmountText& amount_of) {
  const double whole = sum_of(slices);
  if (!(whole > 0)) return "";
  std::vector<std::pair<std::string, std::size_t>> entries;
  for (const Slice& slice : slices) entries.emplace_back(slice.name + " " + amount_of(slice.value), slice.colour);
  double y = 53;
  const std::string bar = draw_stack(slices, {.x = 0, .y = 4, .height = 34, .scale = kPageWidth / whole}, amount_of);
  const std::string legend = draw_legend(entries, y);
  return svg_of(y, 13, bar + legend);
}

std::vector<Slice> time_slices(const report::TimeBreakdown& b) {
  std::vector<Slice> slices;
  std::size_t colour = 0;
  for (const auto& [name, time] :
       {std::pair{"compute", b.compute}, std::pair{"memory", b.memory},
        std::pair{"communication (exposed)", b.communication_exposed}, std::pair{"bubble", b.bubble},
        std::pair{"overhead", b.overhead}, std::pair{"optimizer", b.optimizer}}) {
    if (time > Seconds(0)) slices.push_back({name, time.si(), colour});
    ++colour;
  }
  return slices;
}

}  // namespace mlosim::predict
