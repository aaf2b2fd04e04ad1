#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/predict/escape_xml.hpp"
#include "models/predict/roofline_chart.hpp"
#include "sim/units/format.hpp"

namespace mlosim::predict {
namespace {

constexpr std::size_t kNumbered = 14;  // points with a number and a line in the legend; the rest are plain dots
constexpr double kLegend = 330, kLeft = 92, kTop = 52, kBottom = 58;  // pixels around the plot
constexpr double kNumberGap = 13;                                     // that two numbers keep from each other
constexpr double kRateLabel = 170;                                    // pixels of a rate's name
constexpr const char* kColours[] = {"#8e8e93", "#1f9d8a", "#c2571a", "#7a4bb5", "#b03060"};
constexpr const char* kRateColour = "#1f5fbf";
constexpr const char* kPointColour = "#d9480f";

std::string clip(const std::string& text, std::size_t length) {
  return text.size() <= length ? text : text.substr(0, length - 1) + "…";
}

// A range of decades and where it lies on the paper.
struct Axis {
  double low = 0, high = 1;  // log10
  double from = 0, to = 1;   // pixels

  double at(double value) const { return from + (std::log10(value) - low) / (high - low) * (to - from); }
};

struct Extent {
  double low, high;

  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

class Drawing {
 public:
  Drawing(const RooflineChart& chart, int width, int height) : chart_(chart), width_(width), height_(height) {
    double most_rate = 1, least_bandwidth = 1e300;
    for (const ComputeRoof& roof : chart.rates) most_rate = std::max(most_rate, roof.rate.si());
    for (const MemoryRoof& roof : chart.memories) least_bandwidth = std::min(least_bandwidth, roof.bandwidth.si());
    if (chart.memories.empty()) least_bandwidth = 1;
    const double ridge = most_rate / least_bandwidth;
    Extent x{ridge / 100, ridge * 8}, y{most_rate / 1000, most_rate * 1.6};
    for (const RooflinePoint& point : chart.points) {
      x.include(point.intensity / 2);
      x.include(point.intensity * 2);
      y.include(point.achieved.si() / 2);
    }
    x_ = {std::log10(x.low), std::log10(x.high), kLeft, width - kLegend};
    y_ = {std::log10(y.low), std::log10(y.high), height - kBottom, kTop};
  }

  std::string run() {
    out_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
        "font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\" fill=\"#222\">\n"
        "<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n",
        width_, height_);
    text(kLeft, 28, chart_.title, "font-size=\"16\" font-weight=\"bold\"");
    draw_axes();
    draw_memories();
    draw_rates();
    draw_points();
    return out_ + "</svg>\n";
  }

 private:
  void text(double x, double y, const std::string& words, const std::string& more = "") {
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", x, y, more, escape_xml(words));
  }
  void line(double x1, double y1, double x2, double y2, std::string_view stroke, double width) {
    out_ += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" stroke-width=\"{}\"/>\n", x1, y1,
        x2, y2, stroke, width);
  }

  void draw_axes() {
    for (int decade = static_cast<int>(std::ceil(x_.low)); decade <= std::floor(x_.high); ++decade) {
      const double x = x_.at(std::pow(10, decade));
      line(x, y_.from, x, y_.to, "#e3e3e6", 1);
      text(x, y_.from + 18, fmt::format("{:g}", std::pow(10, decade)), "text-anchor=\"middle\"");
    }
    for (int decade = static_cast<int>(std::ceil(y_.low)); decade <= std::floor(y_.high); ++decade) {
      const double value = std::pow(10, decade), y = y_.at(value);
      line(x_.from, y, x_.to, y, "#e3e3e6", 1);
      text(x_.from - 8, y + 4, format_short(FlopsPerSecond(value), 1), "text-anchor=\"end\"");
    }
    line(x_.from, y_.from, x_.to, y_.from, "#555", 1.2);
    line(x_.from, y_.from, x_.from, y_.to, "#555", 1.2);
    text((x_.from + x_.to) / 2, height_ - 14.0, "operations per compulsory byte", "text-anchor=\"middle\"");
    text(0, 0, "operations per second",
         fmt::format("text-anchor=\"middle\" transform=\"translate(18 {:.1f}) rotate(-90)\"", (y_.from + y_.to) / 2));
  }

  double highest_rate() const {
    double most = 0;
    for (const ComputeRoof& roof : chart_.rates) most = std::max(most, roof.rate.si());
    return most;
  }

  // From the left or lower edge up to the highest rate.
  void draw_memories() {
    const double top = highest_rate();
    for (std::size_t i = 0; i < chart_.memories.size(); ++i) {
      const MemoryRoof& roof = chart_.memories[i];
      const double bandwidth = roof.bandwidth.si();
      const double start = std::max(std::pow(10, x_.low), std::pow(10, y_.low) / bandwidth);
      const double end = std::min(std::pow(10, x_.high), top / bandwidth);
      if (start >= end) continue;  // above all of the picture
      const bool is_device = i + 1 == chart_.memories.size();
      const char* colour = kColours[i % std::size(kColours)];
      const double x1 = x_.at(start), y1 = y_.at(start * bandwidth), x2 = x_.at(end), y2 = y_.at(end * bandwidth);
      line(x1, y1, x2, y2, colour, is_device ? 2.4 : 1.4);
      const double slope = std::atan2(y2 - y1, x2 - x1) * 180 / M_PI;
      const double share = 0.12;
      out_ += fmt::format("<text transform=\"translate({:.1f} {:.1f}) rotate({:.1f})\" fill=\"{}\">{}</text>\n",
                          x1 + share * (x2 - x1), y1 + share * (y2 - y1) + (is_device ? 16 : -6), slope, colour,
                          escape_xml(fmt::format("{} {}", roof.name, format_short(roof.bandwidth))));
    }
  }

  // From where the innermost memory feeds them to the right edge.
  void draw_rates() {
    for (const ComputeRoof& roof : chart_.rates) {
      const double rate = roof.rate.si(), y = y_.at(rate);
      if (y > y_.from || y < y_.to) continue;
      double start = x_.high;
      for (const MemoryRoof& memory : chart_.memories)
        start = std::min(start, std::log10(rate / memory.bandwidth.si()));
      const double from = x_.at(std::pow(10, std::max(start, x_.low)));
      line(from, y, x_.to, y, kRateColour, 1.8);
      const bool is_crowded = has_point(x_.to - kRateLabel, x_.to, y);
      text(is_crowded ? from + 6 : x_.to - 4, y - 6, fmt::format("{} {}", roof.name, format_short(roof.rate)),
           fmt::format("text-anchor=\"{}\" fill=\"{}\" paint-order=\"stroke\" stroke=\"white\" stroke-width=\"3\"",
                       is_crowded ? "start" : "end", kRateColour));
    }
  }

  // Whether a point, or its number, stands between two edges near a height.
  bool has_point(double left, double right, double y) const {
    return std::any_of(chart_.points.begin(), chart_.points.end(), [&](const RooflinePoint& point) {
      const double x = x_.at(point.intensity);
      return x > left && x < right && std::abs(y_.at(point.achieved.si()) - y) < 2.5 * kNumberGap;
    });
  }

  // A place for a number near its point that keeps clear of those before it.
  std::pair<double, double> place_number(double x, double y, double clearance) {
    double best_x = x, best_y = y - clearance;
    for (int step = 0; step < 24; ++step) {
      const double angle = -M_PI / 2 + step * M_PI / 4, distance = clearance + 9 * (step / 8);
      best_x = x + distance * std::cos(angle);
      best_y = y + distance * std::sin(angle);
      const bool is_free = std::none_of(numbers_.begin(), numbers_.end(), [&](const auto& other) {
        return std::hypot(other.first - best_x, other.second - best_y) < kNumberGap;
      });
      if (is_free) break;
    }
    numbers_.emplace_back(best_x, best_y);
    return {best_x, best_y};
  }

  static double radius_of(const RooflinePoint& point) { return 3 + 9 * std::sqrt(std::clamp(point.share, 0.0, 1.0)); }

  void draw_points() {
    for (const RooflinePoint& point : chart_.points)
      numbers_.emplace_back(x_.at(point.intensity), y_.at(point.achieved.si()));
    const double legend = x_.to + 24;
    if (!chart_.points.empty()) text(legend, kTop + 6, "operators, by share of the time", "font-weight=\"bold\"");
    for (std::size_t i = chart_.points.size(); i-- > 0;) {  // the largest on top
      const RooflinePoint& point = chart_.points[i];
      const double x = x_.at(point.intensity), y = y_.at(point.achieved.si());
      out_ += fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" fill=\"{}\" fill-opacity=\"0.65\" stroke=\"white\"/>\n", x,
          y, radius_of(point), i < kNumbered ? kPointColour : "#999");
    }
    for (std::size_t i = 0; i < std::min(chart_.points.size(), kNumbered); ++i) {
      const RooflinePoint& point = chart_.points[i];
      const auto [x, y] = place_number(x_.at(point.intensity), y_.at(point.achieved.si()), radius_of(point) + 9);
      line(x_.at(point.intensity), y_.at(point.achieved.si()), x, y, "#999", 0.6);
      out_ += fmt::format(
          "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" font-size=\"11\" font-weight=\"bold\" "
          "paint-order=\"stroke\" stroke=\"white\" stroke-width=\"3\">{}</text>\n",
          x, y + 4, i + 1);
      const double row = kTop + 30 + 34 * static_cast<double>(i);
      text(legend, row, fmt::format("{}  {}", i + 1, clip(point.label, 42)));
      text(legend + 18, row + 14,
           fmt::format("{:.1f} % of the time, {:.3g} op/B, {}", 100 * point.share, point.intensity,
                       format_short(point.achieved)),
           "fill=\"#777\" font-size=\"11\"");
    }
    if (chart_.points.size() > kNumbered)
      text(legend, kTop + 30 + 34 * static_cast<double>(kNumbered),
           fmt::format("and {} more, grey", chart_.points.size() - kNumbered), "fill=\"#777\"");
  }

  const RooflineChart& chart_;
  int width_, height_;
  Axis x_, y_;
  std::vector<std::pair<double, double>> numbers_;
  std::string out_;
};

}  // namespace

std::string render_roofline_svg(const RooflineChart& chart, int width, int height) {
  return Drawing(chart, width, height).run();
}

}  // namespace mlosim::predict
