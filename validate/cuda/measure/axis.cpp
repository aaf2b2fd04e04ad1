#include "validate/cuda/measure/axis.hpp"

#include <cctype>
#include <charconv>
#include <limits>
#include <stdexcept>

namespace mlosim::measure {

Axis integer_axis(std::string name, const std::vector<std::int64_t>& values) {
  Axis axis{std::move(name), {}};
  for (const std::int64_t value : values) axis.values.push_back(std::to_string(value));
  return axis;
}

std::vector<std::int64_t> geometric(std::int64_t first, std::int64_t last, std::int64_t factor) {
  std::vector<std::int64_t> values;
  for (std::int64_t value = first; value <= last; value *= factor) values.push_back(value);
  return values;
}

std::int64_t parse_count(std::string_view text) {
  const std::invalid_argument wrong("'" + std::string(text) + "' is not a whole number such as 4096 or 64KiB");
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) throw wrong;
  std::string unit;
  for (const char* c = end; c != text.data() + text.size(); ++c)
    if (*c != ' ') unit += static_cast<char>(std::tolower(static_cast<unsigned char>(*c)));
  std::int64_t scale = 0;
  if (unit.empty()) scale = 1;
  if (unit == "k" || unit == "kib") scale = 1LL << 10;
  if (unit == "m" || unit == "mib") scale = 1LL << 20;
  if (unit == "g" || unit == "gib") scale = 1LL << 30;
  if (scale == 0 || value > std::numeric_limits<std::int64_t>::max() / scale) throw wrong;
  return value * scale;
}

const std::string& State::text(std::string_view axis) const {
  for (const auto& [name, value] : coordinates_)
    if (name == axis) return value;
  throw std::logic_error("a case reads the axis '" + std::string(axis) + "', which it does not have");
}

std::int64_t State::integer(std::string_view axis) const { return parse_count(text(axis)); }

std::string State::name() const {
  std::string words;
  for (const auto& [axis, value] : coordinates_) {
    if (!words.empty()) words += ' ';
    words += axis;
    words += '=';
    words += value;
  }
  return words;
}

}  // namespace mlosim::measure
