#include "validate/calibrate/parameter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <variant>

#include "sim/spec/node.hpp"
#include "sim/spec/spelling.hpp"
#include "validate/suite/protocol.hpp"

namespace mlosim::calibrate {
namespace {

constexpr std::string_view kChip = "chip.";  // what every path starts with

std::optional<ParsedQuantity> read_quantity(spec::Node& node, std::string_view key, const std::string& text) {
  const auto parsed = parse_quantity(text);
  if (const auto* error = std::get_if<ParseError>(&parsed)) {
    node.fail_at(key, error->message, error->hint);
    return std::nullopt;
  }
  return std::get<ParsedQuantity>(parsed);
}

// A list of operators, as operator_of names them.
std::vector<std::string> operators_at(spec::Node& node, std::string_view key) {
  static const std::vector<std::string> kOperators{"gemm",        "attention_prefill", "attention_decode",
                                                   "mla_prefill", "mla_decode",        "moe_gemm",
                                                   "elementwise", "embedding",         "sampling"};
  std::vector<std::string> operators;
  for (const spec::Node& op : node.child(key).items()) {
    operators.push_back(op.as_text());
    if (std::find(kOperators.begin(), kOperators.end(), operators.back()) == kOperators.end())
      op.fail(fmt::format("no operator is called '{}'", operators.back()),
              spec::spelling_hint(operators.back(), kOperators));
  }
  return operators;
}

ParameterRule decode_rule(spec::Node node) {
  ParameterRule rule;
  rule.pattern = node.require_text("parameter");
  if (!rule.pattern.starts_with(kChip)) node.fail_at("parameter", "a parameter's path starts with 'chip.'");
  rule.operators = operators_at(node, "operators");
  rule.also_moves = operators_at(node, "also_moves");
  for (const spec::Node& value : node.child("values").items()) {
    rule.values.push_back(value.as_text());
    const auto parsed = parse_quantity(rule.values.back());
    if (const auto* error = std::get_if<ParseError>(&parsed)) value.fail(error->message, error->hint);
  }
  node.require_text("source");
  rule.scale = node.word_or<Scale>("scale", {{"log", Scale::logarithmic}, {"linear", Scale::linear}}, Scale::linear);
  rule.by_operand_path = node.flag_or("by_operand_path", false);
  rule.on_request = node.flag_or("on_request", false);
  constexpr double kFactor = 0.015, kShareOfRange = 0.008;
  rule.step = node.number_or("step", rule.scale == Scale::logarithmic ? kFactor : kShareOfRange, spec::Range::fraction);
  rule.carried = node.word_or<Carried>("carried",
                                       {{"value", Carried::value},
                                        {"clocks", Carried::clocks},
                                        {"launch", Carried::launch},
                                        {"power", Carried::power},
                                        {"l2", Carried::l2}},
                                       Carried::value);
  if (!rule.is_discrete()) {
    const auto low = read_quantity(node, "low", node.require_text("low"));
    const auto high = read_quantity(node, "high", node.require_text("high"));
    if (low && high) {
      rule.low = low->si;
      rule.high = high->si;
      rule.dimension = high->dimension;
      if (!(low->dimension == high->dimension)) node.fail_at("high", "'low' and 'high' differ in dimension");
      if (!(rule.low < rule.high)) node.fail_at("high", "'high' is not above 'low'");
      if (rule.scale == Scale::logarithmic && rule.low <= 0)
        node.fail_at("low", "a logarithmic scale starts above 0", "write scale: linear");
    }
    if (node.has("typical")) {
      if (const auto typical = read_quantity(node, "typical", node.require_text("typical"))) {
        rule.typical = typical->si;
        if (rule.carried == Carried::value && (typical->si < rule.low || typical->si > rule.high))
          node.fail_at("typical", "'typical' is not between 'low' and 'high'");
      }
    }
  }
  node.finish();
  return rule;
}

// A parameter of the document, wherever it stands.
struct Found {
  std::string path;
  const spec::Value* value;
};

// Everything below `at` that the rest of a pattern matches.
void find_matches(const spec::Value& at, std::string_view rest, const std::string& path, std::vector<Found>& found) {
  const std::size_t dot = rest.find('.');
  const std::string_view key = rest.substr(0, dot);
  const auto descend = [&](const std::string& name, const spec::Value& next) {
    const std::string below = path + "." + name;
    if (dot == std::string_view::npos) {
      found.push_back({below, &next});
    } else {
      find_matches(next, rest.substr(dot + 1), below, found);
    }
  };
  for (const spec::Member& member : at.members) {
    if (key == "*" || member.key == key) descend(member.key, member.value);
  }
  for (std::size_t i = 0; i < at.items.size(); ++i) {
    const std::string index = std::to_string(i);
    if (key == "*" || index == key) descend(index, at.items[i]);
  }
}

// The scalar of a number, annotated or not; null for anything else.
const spec::Value* scalar_of(const spec::Value& value) {
  if (value.is_scalar()) return &value;
  const spec::Value* inner = value.is_mapping() ? value.find("value") : nullptr;
  return inner && inner->is_scalar() ? inner : nullptr;
}

// What follows the digits of a number: "1.98 us" is in " us".
std::string suffix_of(std::string_view text) {
  std::size_t end = text.find_first_not_of("+-0123456789.");
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E') && end + 1 < text.size() &&
      std::string_view("+-0123456789").find(text[end + 1]) != std::string_view::npos) {
    end = text.find_first_not_of("+-0123456789", end + 1);
  }
  return end == std::string_view::npos ? std::string() : std::string(text.substr(end));
}

std::optional<FreeParameter> make_free(const ParameterRule& rule, const Found& found) {
  const spec::Value* scalar = scalar_of(*found.value);
  if (!scalar) return std::nullopt;
  const auto parsed = parse_quantity(scalar->text);
  const auto* number = std::get_if<ParsedQuantity>(&parsed);
  if (!number || (!rule.is_discrete() && !(number->dimension == rule.dimension))) return std::nullopt;
  FreeParameter p{.rule = rule,
                  .path = found.path,
                  .value = number->si,
                  .text = scalar->text,
                  .unit = {.suffix = suffix_of(scalar->text)},
                  .file = found.value->place().file};
  const auto one = parse_quantity("1" + p.unit.suffix);
  if (const auto* unit = std::get_if<ParsedQuantity>(&one)) p.unit.si = unit->si;
  return p;
}

bool shares_any(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::any_of(a.begin(), a.end(),
                     [&](const std::string& x) { return std::find(b.begin(), b.end(), x) != b.end(); });
}

}  // namespace

std::vector<ParameterRule> read_parameter_rules(const spec::Library& library) {
  const auto file = library.find_file("validate/parameters.yaml");
  if (!file)
    throw spec::InputError("no list of free parameters (validate/parameters.yaml) was found", "is $MLOSIM_PATH set?");
  const spec::Value document = spec::read_document(*file);
  spec::Decoding decoding;
  spec::Node root(&document, "", &decoding);
  root.expect_schema("mlosim/parameters/1");
  std::vector<ParameterRule> rules;
  for (spec::Node& entry : root.child("parameters").items()) rules.push_back(decode_rule(entry));
  root.finish();
  decoding.diagnostics.throw_if_any();
  return rules;
}

bool FreeParameter::is_within_bounds() const {
  if (!rule.is_discrete()) return value >= rule.low && value <= rule.high;
  return std::any_of(rule.values.begin(), rule.values.end(), [&](const std::string& listed) {
    const auto parsed = parse_quantity(listed);
    const auto* number = std::get_if<ParsedQuantity>(&parsed);
    return number && number->si == value;
  });
}

double FreeParameter::position_of(double value_si) const {
  const double v = std::clamp(value_si, rule.low, rule.high);
  return rule.scale == Scale::logarithmic ? std::log(v) : (v - rule.low) / (rule.high - rule.low);
}

double FreeParameter::value_at(double position) const {
  const double v = rule.scale == Scale::logarithmic ? std::exp(position) : rule.low + position * (rule.high - rule.low);
  return std::clamp(v, rule.low, rule.high);
}

std::string FreeParameter::rounded_text(double value_si) const {
  constexpr int kDigits = 4;
  const double number = value_si / unit.si;
  if (number == 0) return "0" + unit.suffix;
  const int before = static_cast<int>(std::floor(std::log10(std::abs(number)))) + 1;
  const double step = std::pow(10.0, before - kDigits);
  std::string digits = fmt::format("{:.{}f}", std::round(number / step) * step, std::max(0, kDigits - before));
  if (digits.find('.') != std::string::npos) {
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
  }
  return digits + unit.suffix;
}

std::string FreeParameter::exact_text(double value_si) const {
  return fmt::format("{:.17g}{}", value_si / unit.si, unit.suffix);
}

const spec::Value* value_at(const spec::Value& chip, std::string_view path) {
  std::vector<Found> found;
  find_matches(chip, path.substr(kChip.size()), "chip", found);
  return found.empty() ? nullptr : found.front().value;
}

std::vector<FreeParameter> free_parameters(const std::vector<ParameterRule>& rules, const spec::Value& chip,
                                           const std::vector<std::string>& operators,
                                           const std::vector<std::string>& patterns) {
  std::vector<FreeParameter> free;
  std::vector<std::string> known;  // what a pattern may have meant
  std::vector<bool> used(patterns.size(), false);
  for (const ParameterRule& rule : rules) {
    std::vector<Found> found;
    find_matches(chip, std::string_view(rule.pattern).substr(std::min(kChip.size(), rule.pattern.size())), "chip",
                 found);
    for (const Found& f : found) {
      known.push_back(f.path);
      bool is_wanted = patterns.empty() && !rule.on_request;
      for (std::size_t i = 0; i < patterns.size(); ++i) {
        if (!suite::matches(patterns[i], f.path) && !suite::matches(patterns[i], f.path.substr(kChip.size()))) continue;
        used[i] = true;
        is_wanted = true;
      }
      if (!is_wanted || !shares_any(rule.operators, operators)) continue;
      const bool is_there =
          std::any_of(free.begin(), free.end(), [&](const FreeParameter& p) { return p.path == f.path; });
      if (const auto parameter = is_there ? std::nullopt : make_free(rule, f)) free.push_back(*parameter);
    }
  }
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    if (!used[i])
      throw spec::InputError(
          fmt::format("no free parameter of this chip matches '{}'", patterns[i]),
          spec::spelling_hint(patterns[i].find('.') == std::string::npos || patterns[i].starts_with(kChip)
                                  ? patterns[i]
                                  : std::string(kChip) + patterns[i],
                              known));
  }
  return free;
}

}  // namespace mlosim::calibrate
