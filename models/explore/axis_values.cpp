// The values of an axis: lists, ranges, linked members.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/explore/label.hpp"
#include "models/explore/study.hpp"
#include "sim/units/format.hpp"

namespace mlosim::explore {
namespace {

using spec::Node;
using spec::Value;

constexpr std::size_t kMostValues = 1'000'000;

// A scalar that is a quantity or a plain number, unquoted or not.
std::optional<ParsedQuantity> number_of(const Value& value) {
  if (!value.is_scalar()) return std::nullopt;
  const auto parsed = parse_quantity(value.text);
  if (const auto* quantity = std::get_if<ParsedQuantity>(&parsed)) return *quantity;
  return std::nullopt;
}

double number_or_nan(const Value& value) {
  const auto number = number_of(value);
  return number ? number->si : std::numeric_limits<double>::quiet_NaN();
}

std::string label_of(const Value& value) {
  if (value.is_scalar()) return value.text;
  if (value.kind == Value::Kind::null) return "~";
  std::string text;
  for (const Value& item : value.items) text += (text.empty() ? "" : ", ") + label_of(item);
  for (const spec::Member& member : value.members)
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", member.key, label_of(member.value));
  return value.is_mapping() ? "{" + text + "}" : "[" + text + "]";
}

// The number at a key of a range; mistakes are diagnostics.
std::optional<ParsedQuantity> require_end(Node& node, std::string_view key) {
  const Node end = node.child(key);
  if (!end.is_present()) {
    node.fail(fmt::format("a range needs '{}'", key), "{from: 1 TB/s, to: 8 TB/s, steps: 8}");
    return std::nullopt;
  }
  const auto number = end.is_scalar() ? number_of(*end.value()) : std::nullopt;
  if (!number) end.fail("expected a number, with its unit where it has one", "such as 4 TB/s or 128");
  return number;
}

// Ranges of binary sizes are shown as such.
bool is_binary(const Value& range) {
  const Value* from = range.find("from");
  return from && from->text.find("iB") != std::string::npos;
}

void add_number(double si, const Value& origin, Axis& axis) {
  const Prefixes prefixes = is_binary(origin) ? Prefixes::iec : Prefixes::si;
  Value value = origin;
  value.kind = Value::Kind::scalar;
  value.members.clear();
  value.items.clear();
  value.text = text_of_number(si, axis.dimensions.front());
  axis.choices.push_back(
      {.values = {value}, .numbers = {si}, .label = label_of_number(si, axis.dimensions.front(), prefixes)});
}

void spread_steps(double low, double high, std::int64_t steps, bool logarithmic, const Value& origin, Axis& axis) {
  for (std::int64_t i = 0; i < steps; ++i) {
    const double share = steps == 1 ? 0 : static_cast<double>(i) / static_cast<double>(steps - 1);
    double x = logarithmic ? low * std::pow(high / low, share) : low + (high - low) * share;
    if (i == 0) x = low;
    if (i > 0 && i == steps - 1) x = high;
    add_number(x, origin, axis);
  }
}

// {from, to} with one of: steps (and scale), by, factor; or none of them: every number between.
struct Range {
  ParsedQuantity low, high;
  bool has_scale = false, logarithmic = false, whole = false;
  std::optional<std::int64_t> steps{};
  std::optional<ParsedQuantity> by{};
  std::optional<double> factor{};
};

// Empty, with diagnostics, where it is none.
std::optional<Range> read_range(Node& node) {
  const auto low = require_end(node, "from"), high = require_end(node, "to");
  Range range;
  range.has_scale = node.has("scale");
  range.logarithmic = node.word_or<bool>("scale", {{"linear", false}, {"log", true}}, false);
  range.whole = node.flag_or("whole", false);
  bool is_wrong = !low || !high;
  if (node.has("steps")) range.steps = node.count_or("steps", 1);
  if (node.has("by")) {
    range.by = require_end(node, "by");
    is_wrong |= !range.by;
  }
  if (node.has("factor")) range.factor = node.number_or("factor", 2);
  node.finish();
  if (is_wrong) return std::nullopt;
  range.low = *low;
  range.high = *high;
  const std::size_t errors = node.decoding().diagnostics.list().size();
  if (!(high->dimension == low->dimension)) {
    node.fail_at("to", fmt::format("{} cannot follow {}", describe(high->dimension), describe(low->dimension)));
  } else if (high->si < low->si) {
    node.fail("the range is empty: 'to' is below 'from'");
  } else if ((range.logarithmic || range.factor) && low->si <= 0) {
    node.fail_at("from", "a logarithmic range starts above zero");
  } else if (range.steps.has_value() + range.by.has_value() + range.factor.has_value() > 1) {
    node.fail("'steps', 'by' and 'factor' exclude one another");
  } else if (range.has_scale && (range.by || range.factor)) {
    node.fail_at("scale", "spreads 'steps', and says nothing beside 'by' or 'factor'", "leave it out, or give steps");
  } else if (range.whole && (range.by || range.factor)) {
    node.fail_at("whole", "belongs to a range with 'steps', or without any", "leave it out");
  } else if (range.steps && (*range.steps == 1) != (low->si == high->si)) {
    node.fail_at("steps", *range.steps == 1 ? "one step leaves 'to' out" : "'from' and 'to' are the same number",
                 "write a lone value without a range");
  }
  if (node.decoding().diagnostics.list().size() > errors) return std::nullopt;
  return range;
}

void decode_range(Node& node, Axis& axis) {
  const std::optional<Range> range = read_range(node);
  if (!range) return;
  const Value& origin = *node.value();
  const double low = range->low.si, high = range->high.si;
  axis.dimensions = {range->low.dimension};
  constexpr double kSlack = 1e-9;  // so that 'to' itself is in a range of fractions
  if (range->steps) {
    if (*range->steps > static_cast<std::int64_t>(kMostValues))
      return node.fail_at("steps", "are more than can be meant");
    spread_steps(low, high, *range->steps, range->logarithmic, origin, axis);
    axis.is_spread = true;
  } else if (range->by) {
    const double by = range->by->si;
    if (!(range->by->dimension == range->low.dimension) || by <= 0) {
      return node.fail_at(
          "by", fmt::format("expected a step above zero of the range's kind: {}", describe(range->low.dimension)));
    }
    const double count = std::floor((high - low) / by + kSlack) + 1;
    if (count > static_cast<double>(kMostValues)) return node.fail_at("by", "makes more steps than can be meant");
    for (double i = 0; i < count; ++i) add_number(low + i * by, origin, axis);
  } else if (range->factor) {
    const double factor = *range->factor;
    if (factor <= 1) return node.fail_at("factor", "is above 1");
    if (std::log(high / low) / std::log(factor) > static_cast<double>(kMostValues))
      return node.fail_at("factor", "makes more steps than can be meant");
    for (double x = low; x <= high * (1 + kSlack); x *= factor) add_number(x, origin, axis);
  } else {
    axis.continuum = Continuum{.low = low, .high = high, .logarithmic = range->logarithmic};
  }
  if (range->whole && !make_whole(axis)) node.fail("there is no whole number between 'from' and 'to'");
}

// One step of a linked axis: {path: value, …}, with the same paths in each.
void add_linked(Node& item, Axis& axis) {
  Choice choice;
  std::vector<std::string> paths;
  for (const auto& [path, value] : item.members()) {
    paths.push_back(path);
    choice.values.push_back(*value.value());
  }
  choice.label = label_of(*item.value());
  for (const Value& value : choice.values) choice.numbers.push_back(number_or_nan(value));
  if (axis.paths.empty()) {
    axis.paths = paths;
    for (const Value& value : choice.values)
      axis.dimensions.push_back(number_of(value).value_or(ParsedQuantity{}).dimension);
  }
  if (paths != axis.paths)
    item.fail("every step of a linked axis sets the same paths in the same order",
              fmt::format("{{{}: …}}", fmt::join(axis.paths, ": …, ")));
  axis.choices.push_back(std::move(choice));
}

void add_choice(const Node& item, Axis& axis, bool first) {
  const Value& value = *item.value();
  const Value* name = value.is_mapping() ? value.find("name") : nullptr;  // of a model that stands here
  Choice choice{.values = {value},
                .numbers = {number_or_nan(value)},
                .label = label_of(name && name->is_scalar() ? *name : value)};
  if (first) axis.dimensions = {Dimension{}};
  if (const auto number = number_of(value)) {
    if (first) axis.dimensions.front() = number->dimension;
    if (!(number->dimension == axis.dimensions.front()))
      item.fail(fmt::format("is {} among values that are {}", describe(number->dimension),
                            describe(axis.dimensions.front())));
  }
  const auto same = [&](const Choice& other) {
    return other.label == choice.label || other.numbers.front() == choice.numbers.front();
  };
  if (std::any_of(axis.choices.begin(), axis.choices.end(), same))
    item.fail(fmt::format("'{}' is in the list twice", choice.label));
  axis.choices.push_back(std::move(choice));
}

}  // namespace

std::string text_of_number(double si, Dimension dimension) {
  constexpr double kExact = 1e15;
  if (dimension == Dimension{} && si == std::floor(si) && std::abs(si) < kExact)
    return fmt::format("{}", static_cast<std::int64_t>(si));
  return format_exact(si, dimension);
}

bool make_whole(Axis& axis) {
  constexpr double kSlack = 1e-9;
  const auto first = [](double low) { return std::ceil(low - kSlack); };
  const auto last = [](double high) { return std::floor(high + kSlack); };
  if (axis.continuum) {
    Continuum& c = *axis.continuum;
    c = {.low = first(c.low), .high = last(c.high), .logarithmic = c.logarithmic, .whole = true};
    return c.low <= c.high;
  }
  const std::vector<Choice> spread = std::exchange(axis.choices, {});
  const double low = first(spread.front().numbers.front()), high = last(spread.back().numbers.front());
  if (low > high) return false;
  for (const Choice& choice : spread) {
    const double x = std::clamp(std::round(choice.numbers.front()), low, high);
    if (axis.choices.empty() || axis.choices.back().numbers.front() != x) add_number(x, choice.values.front(), axis);
  }
  return true;
}

bool Axis::has_numbers(std::size_t column) const {
  if (continuum) return true;
  return std::none_of(choices.begin(), choices.end(),
                      [&](const Choice& choice) { return std::isnan(choice.numbers[column]); });
}

// Whether an axis of that name has steps of several paths; a mapping is otherwise the value of one path.
bool may_be_linked(const Axis& axis) {
  static const std::vector<std::string> kWhole{"system",    "model", "precision", "parallelism",
                                               "inference", "train", "runtime",   "economics"};
  return !axis.is_variable() && axis.name.find('.') == std::string::npos &&
         std::find(kWhole.begin(), kWhole.end(), axis.paths.front()) == kWhole.end();
}

void decode_axis_values(Node node, Axis& axis) {
  if (node.is_sequence()) {
    std::vector<Node> items = node.items();
    if (items.empty()) node.fail("the axis is empty", "give it at least one value, or leave it out");
    bool first = true;
    const bool is_linked = may_be_linked(axis);
    for (Node& item : items) {
      if (!item.is_present()) {
        node.fail("a value of the axis is empty");
      } else if (item.is_mapping() && is_linked) {
        if (first) axis.paths.clear();  // its name is no path
        add_linked(item, axis);
      } else {
        add_choice(item, axis, first);
      }
      first = false;
    }
    return;
  }
  if (node.is_mapping()) {
    decode_range(node, axis);
  } else if (node.is_scalar()) {
    add_choice(node, axis, true);
  } else {
    node.fail("the axis is empty", "[4 TB/s, 8 TB/s] or {from: 1 TB/s, to: 8 TB/s, steps: 8}");
  }
}

}  // namespace mlosim::explore
