#include "sim/units/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <vector>

namespace mlosim {
namespace {

// The unit of a dimension, numerator first: "B/s", "J/flop".
std::string unit_name(Dimension d) {
  if (d == Dimension{.time = -1}) return "Hz";
  if (d.energy == 1 && d.time == -1 && d.data == 0 && d.work == 0 && d.money == 0) return "W";
  struct Part {
    const char* name;
    int exponent;
  };
  const std::array parts{Part{"B", d.data}, Part{"flop", d.work}, Part{"J", d.energy}, Part{"USD", d.money},
                         Part{"s", d.time}};
  std::string above, below;
  for (const Part& part : parts) {
    for (int i = 0; i < part.exponent; ++i) above += (above.empty() ? "" : "*") + std::string(part.name);
    for (int i = 0; i < -part.exponent; ++i) below += "/" + std::string(part.name);
  }
  return above + below;
}

std::string with_unit(const std::string& number, const std::string& unit) {
  if (unit.empty()) return number;
  return unit.front() == '/' ? number + unit : number + " " + unit;
}

struct Step {
  const char* prefix;
  double factor;
};

constexpr int kMostDigits = 6;  // before the point, or zeros after it, of a number beyond all prefixes

}  // namespace

std::string format_short(double si, Dimension dimension, int digits, Prefixes prefixes) {
  static constexpr std::array kSi{Step{"f", 1e-15}, Step{"p", 1e-12}, Step{"n", 1e-9}, Step{"u", 1e-6},
                                  Step{"m", 1e-3},  Step{"", 1},      Step{"k", 1e3},  Step{"M", 1e6},
                                  Step{"G", 1e9},   Step{"T", 1e12},  Step{"P", 1e15}, Step{"E", 1e18}};
  static constexpr std::array kIec{Step{"", 1},        Step{"Ki", 0x1p10}, Step{"Mi", 0x1p20},
                                   Step{"Gi", 0x1p30}, Step{"Ti", 0x1p40}, Step{"Pi", 0x1p50}};
  const std::string unit = unit_name(dimension);
  if (!std::isfinite(si)) return with_unit(fmt::format("{}", si), unit);
  const bool iec = prefixes == Prefixes::iec && dimension.data == 1;
  const std::vector<Step> steps =
      iec ? std::vector<Step>(kIec.begin(), kIec.end()) : std::vector<Step>(kSi.begin(), kSi.end());
  const bool scalable = !unit.empty() && unit.front() != '/' && dimension.money == 0;
  // Rounding first, so that 999.7 becomes 1.00 k and not 1000; but 1024 that rounds to 1020 is a Ki all the same.
  const double magnitude =
      std::max(std::abs(si), std::abs(std::strtod(fmt::format("{:.{}e}", si, digits - 1).c_str(), nullptr)));
  Step chosen{"", 1};
  if (scalable && magnitude > 0) {
    chosen = steps.front();
    for (const Step& step : steps) {
      if (magnitude >= step.factor) chosen = step;
    }
  }
  const double scaled = si / chosen.factor;
  const int before = magnitude > 0 ? static_cast<int>(std::floor(std::log10(magnitude / chosen.factor))) + 1 : 1;
  if (scalable && (before > kMostDigits || before < -kMostDigits))
    return with_unit(fmt::format("{:.{}e}", si, digits - 1), unit);
  return with_unit(fmt::format("{:.{}f}", scaled, std::clamp(digits - before, 0, 12)), chosen.prefix + unit);
}

std::string format_exact(double si, Dimension dimension) {
  return with_unit(fmt::format("{}", si), unit_name(dimension));
}

}  // namespace mlosim
