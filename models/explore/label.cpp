#include "models/explore/label.hpp"

#include <fmt/format.h>

#include <cmath>

namespace mlosim::explore {

std::string label_of_number(double si, Dimension dimension, Prefixes prefixes) {
  constexpr int kDigits = 4;
  constexpr double kLongest = 1e15;
  const bool is_whole = dimension == Dimension{} && si == std::floor(si) && std::abs(si) < kLongest;
  return is_whole ? fmt::format("{:.0f}", si) : format_short(si, dimension, kDigits, prefixes);
}

}  // namespace mlosim::explore
