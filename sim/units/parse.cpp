#include "sim/units/parse.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace mlosim {
namespace {

struct Unit {
  std::string_view name;
  double factor;
  Dimension dimension;
  bool takes_prefix;
};

constexpr std::array kUnits{
    Unit{"s", 1, {.time = 1}, true},
    Unit{"min", 60, {.time = 1}, false},
    Unit{"h", 3600, {.time = 1}, false},
    Unit{"day", 86400, {.time = 1}, false},
    Unit{"B", 1, {.data = 1}, true},
    Unit{"bit", 0.125, {.data = 1}, true},
    Unit{"flop", 1, {.work = 1}, true},
    Unit{"FLOP", 1, {.work = 1}, true},
    Unit{"op", 1, {.work = 1}, true},
    Unit{"OP", 1, {.work = 1}, true},
    Unit{"FLOPS", 1, {.time = -1, .work = 1}, true},
    Unit{"OPS", 1, {.time = -1, .work = 1}, true},
    Unit{"J", 1, {.energy = 1}, true},
    Unit{"Wh", 3600, {.energy = 1}, true},
    Unit{"W", 1, {.time = -1, .energy = 1}, true},
    Unit{"Hz", 1, {.time = -1}, true},
    Unit{"USD", 1, {.money = 1}, true},
    Unit{"$", 1, {.money = 1}, false},
    Unit{"clk", 1, {}, false},
};

struct Prefix {
  std::string_view name;
  double factor;
  bool binary;
};

constexpr double kKibi = 1024;
constexpr std::array kPrefixes{
    Prefix{"Ki", kKibi, true},
    Prefix{"Mi", kKibi* kKibi, true},
    Prefix{"Gi", kKibi* kKibi* kKibi, true},
    Prefix{"Ti", kKibi* kKibi* kKibi* kKibi, true},
    Prefix{"Pi", kKibi* kKibi* kKibi* kKibi* kKibi, true},
    Prefix{"f", 1e-15, false},
    Prefix{"p", 1e-12, false},
    Prefix{"n", 1e-9, false},
    Prefix{"u", 1e-6, false},
    Prefix{"µ", 1e-6, false},
    Prefix{"m", 1e-3, false},
    Prefix{"k", 1e3, false},
    Prefix{"M", 1e6, false},
    Prefix{"G", 1e9, false},
    Prefix{"T", 1e12, false},
    Prefix{"P", 1e15, false},
    Prefix{"E", 1e18, false},
};

struct Factor {
  double factor;
  Dimension dimension;
};

std::optional<Factor> find_unit(std::string_view word) {
  for (const Unit& unit : kUnits) {
    if (word == unit.name) return Factor{unit.factor, unit.dimension};
  }
  for (const Prefix& prefix : kPrefixes) {
    if (!word.starts_with(prefix.name)) continue;
    const std::string_view rest = word.substr(prefix.name.size());
    for (const Unit& unit : kUnits) {
      // Binary prefixes are for counted things (data, work) only: a kibisecond is a slip of the pen.
      if (rest != unit.name || !unit.takes_prefix) continue;
      if (prefix.binary && unit.dimension.data == 0 && unit.dimension.work == 0) continue;
      return Factor{prefix.factor * unit.factor, unit.dimension};
    }
  }
  return std::nullopt;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Dimension combine(Dimension a, Dimension b, int sign) {
  return {a.time + sign * b.time, a.data + sign * b.data, a.work + sign * b.work, a.energy + sign * b.energy,
          a.money + sign * b.money};
}

}  // namespace

std::variant<ParsedQuantity, ParseError> parse_quantity(std::string_view text) {
  text = trim(text);
  const std::string_view digits = text.starts_with('+') && !text.starts_with("+-") ? text.substr(1) : text;
  ParsedQuantity result;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), result.si);
  if (error == std::errc::result_out_of_range) {
    return ParseError{fmt::format("'{}' is out of range", text), ""};
  }
  if (error != std::errc() || !std::isfinite(result.si)) {
    return ParseError{fmt::format("'{}' is not a number with a unit", text), "write it as in '4.8 TB/s'"};
  }
  std::string_view rest = trim(std::string_view(end, static_cast<std::size_t>(digits.data() + digits.size() - end)));
  int sign = 1;
  if (rest.starts_with('/')) {
    sign = -1;
    rest = trim(rest.substr(1));
    if (rest.empty()) return ParseError{fmt::format("'{}' ends where a unit is due", text), ""};
  }
  while (!rest.empty()) {
    const std::size_t stop = rest.find_first_of("/*");
    const std::string_view word = trim(rest.substr(0, stop));
    const std::optional<Factor> unit = find_unit(word);
    if (!unit) {
      return ParseError{fmt::format("'{}' is not a unit", word),
                        "units: s min h B bit flop op J W Wh Hz USD clk, with SI or IEC prefixes (GB, GiB)"};
    }
    result.si = sign > 0 ? result.si * unit->factor : result.si / unit->factor;
    result.dimension = combine(result.dimension, unit->dimension, sign);
    result.has_unit = true;
    if (stop == std::string_view::npos) break;
    sign = rest[stop] == '/' ? -1 : 1;
    rest = trim(rest.substr(stop + 1));
    if (rest.empty()) return ParseError{fmt::format("'{}' ends where a unit is due", text), ""};
  }
  if (!std::isfinite(result.si)) return ParseError{fmt::format("'{}' is out of range", text), ""};
  return result;
}

std::variant<double, ParseError> parse_quantity_as(std::string_view text, Dimension expected) {
  const auto parsed = parse_quantity(text);
  if (const auto* error = std::get_if<ParseError>(&parsed)) return *error;
  const ParsedQuantity& quantity = std::get<ParsedQuantity>(parsed);
  if (quantity.dimension == expected) return quantity.si;
  if (!quantity.has_unit) {
    return ParseError{fmt::format("'{}' has no unit", trim(text)), fmt::format("expected {}", describe(expected))};
  }
  return ParseError{fmt::format("'{}' is {}", trim(text), describe(quantity.dimension)),
                    fmt::format("expected {}", describe(expected))};
}

std::string describe(Dimension dimension) {
  struct Named {
    Dimension dimension;
    const char* text;
  };
  static constexpr std::array kNames{
      Named{{}, "a plain number"},
      Named{{.time = 1}, "a time (such as 3 us)"},
      Named{{.time = -1}, "a rate (such as 1980 MHz)"},
      Named{{.data = 1}, "a size (such as 141 GB)"},
      Named{{.time = -1, .data = 1}, "a data rate (such as 4.8 TB/s)"},
      Named{{.work = 1}, "an amount of work (such as 4096 flop)"},
      Named{{.time = -1, .work = 1}, "a compute rate (such as 989 TFLOP/s)"},
      Named{{.energy = 1}, "an energy (such as 3 J)"},
      Named{{.time = -1, .energy = 1}, "a power (such as 700 W)"},
      Named{{.work = -1, .energy = 1}, "an energy per flop (such as 0.6 pJ/flop)"},
      Named{{.data = -1, .energy = 1}, "an energy per byte (such as 60 pJ/B)"},
      Named{{.money = 1}, "an amount of money (such as 30000 USD)"},
      Named{{.time = -1, .money = 1}, "a price per time (such as 2.5 USD/h)"},
  };
  for (const Named& named : kNames) {
    if (named.dimension == dimension) return named.text;
  }
  return fmt::format("a quantity of dimension s^{} B^{} flop^{} J^{} USD^{}", dimension.time, dimension.data,
                     dimension.work, dimension.energy, dimension.money);
}

}  // namespace mlosim
