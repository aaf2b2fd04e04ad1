#include "sim/spec/node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/spec/spelling.hpp"

namespace mlosim::spec {
namespace {

struct NamedKind {
  SourceKind kind;
  std::string_view name;
};
constexpr std::array kKinds{NamedKind{SourceKind::datasheet, "datasheet"}, NamedKind{SourceKind::measured, "measured"},
                            NamedKind{SourceKind::fitted, "fitted"},       NamedKind{SourceKind::derived, "derived"},
                            NamedKind{SourceKind::assumed, "assumed"},     NamedKind{SourceKind::given, "given"}};

// What an annotated number may say besides its value.
constexpr std::array<std::string_view, 7> kAnnotationKeys{"value",          "kind",  "source", "note",
                                                          "standard_error", "suite", "date"};

std::optional<std::string> violation(double x, Range range) {
  switch (range) {
    case Range::positive:
      return x > 0 ? std::nullopt : std::optional("must be greater than zero");
    case Range::non_negative:
      return x >= 0 ? std::nullopt : std::optional("must not be negative");
    case Range::fraction:
      return x > 0 && x <= 1 ? std::nullopt : std::optional("must be greater than 0 and at most 1");
    case Range::any:
      return std::nullopt;
  }
  return std::nullopt;
}

bool has_unit(std::string_view text) {
  const auto parsed = parse_quantity(text);
  const auto* quantity = std::get_if<ParsedQuantity>(&parsed);
  return quantity && quantity->has_unit;
}

}  // namespace

std::string_view name_of(SourceKind kind) {
  for (const NamedKind& named : kKinds) {
    if (named.kind == kind) return named.name;
  }
  return "?";
}

Node::Node(const Value* value, std::string path, Decoding* decoding)
    : value_(value), path_(std::move(path)), decoding_(decoding), nearest_(value) {}

bool Node::has(std::string_view key) const {
  looked_for_.emplace_back(key);
  return is_mapping() && value_->find(key) != nullptr;
}

const Value* Node::ask(std::string_view key) {
  asked_.emplace_back(key);
  return is_mapping() ? value_->find(key) : nullptr;
}

Node Node::child(std::string_view key) {
  Node node(ask(key), path_.empty() ? std::string(key) : path_ + "." + std::string(key), decoding_);
  if (!node.value_) node.nearest_ = nearest_;
  node.is_known_bad_ = is_known_bad_;
  return node;
}

Node Node::require_mapping(std::string_view key) {
  Node node = child(key);
  if (!node.is_present()) {
    if (is_mapping_or_fails()) fail(fmt::format("key '{}' is missing", key));
    node.is_known_bad_ = true;
  } else {
    node.is_mapping_or_fails();
  }
  return node;
}

bool Node::is_mapping_or_fails() {
  if (!is_present() || is_mapping()) return true;
  fail("expected members ('key: value')");
  is_known_bad_ = true;
  return false;
}

std::vector<std::pair<std::string, Node>> Node::members() {
  std::vector<std::pair<std::string, Node>> list;
  if (!is_mapping_or_fails() || !is_present()) return list;
  for (const Member& member : value_->members) list.emplace_back(member.key, child(member.key));
  return list;
}

std::vector<Node> Node::items() {
  std::vector<Node> list;
  if (!is_present()) return list;
  if (!is_sequence()) {
    fail("expected a list ('[a, b]')");
    return list;
  }
  for (std::size_t i = 0; i < value_->items.size(); ++i)
    list.emplace_back(&value_->items[i], fmt::format("{}.{}", path_, i), decoding_);
  return list;
}

const Value* Node::annotated_scalar() const {
  if (!is_present()) {
    fail("a value is missing");
    return nullptr;
  }
  if (value_->is_scalar()) return value_;
  const Value* number = value_->is_mapping() ? value_->find("value") : nullptr;
  if (!number || !number->is_scalar()) {
    fail("expected a number", "or an annotated one: {value: 3.35 TB/s, kind: datasheet, source: …}");
    return nullptr;
  }
  const SourceKind kind = annotated_kind();
  if (decoding_->keeps_provenance) {
    const Value* source = value_->find("source");
    decoding_->provenance[path_] = {kind, source ? source->text : std::string(), number->text};
  }
  return number;
}

SourceKind Node::annotated_kind() const {
  for (const Member& member : value_->members) {
    if (std::find(kAnnotationKeys.begin(), kAnnotationKeys.end(), member.key) == kAnnotationKeys.end()) {
      decoding_->diagnostics.add({member.key_place, path_, fmt::format("unknown key '{}'", member.key),
                                  spelling_hint(member.key, {kAnnotationKeys.begin(), kAnnotationKeys.end()})});
    }
  }
  const Value* kind = value_->find("kind");
  if (!kind) {
    fail("an annotated number needs its 'kind'", "datasheet, measured, fitted, derived or assumed");
    return SourceKind::given;
  }
  const auto named =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const NamedKind& k) { return k.name == kind->text; });
  if (named != kKinds.end()) return named->kind;
  std::vector<std::string> names;
  for (const NamedKind& k : kKinds) names.emplace_back(k.name);
  decoding_->diagnostics.add(
      {kind->place(), path_, fmt::format("unknown kind '{}'", kind->text), spelling_hint(kind->text, names)});
  return SourceKind::given;
}

std::optional<double> Node::number_here(Dimension dimension, Range range) const {
  const Value* scalar = annotated_scalar();
  if (!scalar) return std::nullopt;
  const auto parsed = parse_quantity_as(scalar->text, dimension);
  const auto report = [&](std::string message, std::string hint) {
    decoding_->diagnostics.add({scalar->place(), path_, std::move(message), std::move(hint)});
    return std::nullopt;
  };
  if (const auto* error = std::get_if<ParseError>(&parsed)) {
    if (dimension == Dimension{} && !has_unit(scalar->text))
      return report(fmt::format("'{}' is not a number", scalar->text), "");
    return report(error->message, error->hint);
  }
  if (scalar->quoted && !has_unit(scalar->text))
    return report(fmt::format("\"{}\" is text", scalar->text), "write the number without quotes");
  const double si = std::get<double>(parsed);
  if (const auto wrong = violation(si, range)) return report(fmt::format("'{}' {}", scalar->text, *wrong), "");
  if (scalar == value_ && decoding_->keeps_provenance)
    decoding_->provenance[path_] = {SourceKind::given, "", scalar->text};
  return si;
}

double Node::read_number(std::string_view key, Dimension dimension, Range range, std::optional<double> fallback) {
  const Node node = child(key);
  if (!node.is_present()) {
    if (fallback) return *fallback;
    if (is_mapping_or_fails())
      fail(fmt::format("key '{}' is missing", key), fmt::format("expected {}", describe(dimension)));
    return 1;
  }
  return node.number_here(dimension, range).value_or(1);
}

std::optional<std::int64_t> Node::count_here(std::int64_t least) const {
  const std::optional<double> x = number_here({}, Range::any);
  if (!x) return std::nullopt;
  constexpr double kLargest = 9.0e15;  // doubles are exact below 2^53
  const std::string& text = value_->is_scalar() ? value_->text : value_->find("value")->text;
  if (std::abs(*x) > kLargest) {
    fail(fmt::format("'{}' is out of range", annotated_scalar()->text));
    return std::nullopt;
  }
  if (*x != std::floor(*x)) {
    fail(fmt::format("'{}' is not a whole number", text));
    return std::nullopt;
  }
  if (*x < static_cast<double>(least)) {
    fail(fmt::format("'{}' is less than {}", text, least));
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*x);
}

std::int64_t Node::require_count(std::string_view key, std::int64_t least) {
  const Node node = child(key);
  if (!node.is_present()) {
    if (is_mapping_or_fails()) fail(fmt::format("key '{}' is missing", key), "expected a whole number");
    return std::max<std::int64_t>(1, least);
  }
  return node.as_count(least);
}

std::int64_t Node::count_or(std::string_view key, std::int64_t fallback, std::int64_t least) {
  const Node node = child(key);
  return node.is_present() ? node.as_count(least) : fallback;
}

std::int64_t Node::as_count(std::int64_t least) const {
  return count_here(least).value_or(std::max<std::int64_t>(1, least));
}

bool Node::flag_or(std::string_view key, bool fallback) {
  const Node node = child(key);
  if (!node.is_present()) return fallback;
  if (node.value_->is_scalar() && (node.value_->text == "true" || node.value_->text == "1")) return true;
  if (node.value_->is_scalar() && (node.value_->text == "false" || node.value_->text == "0")) return false;
  node.fail("expected true or false");
  return fallback;
}

std::string Node::as_text() const {
  if (is_scalar()) return value_->text;
  fail("expected text");
  return "";
}

std::string Node::require_text(std::string_view key) {
  const Node node = child(key);
  if (!node.is_present()) {
    if (is_mapping_or_fails()) fail(fmt::format("key '{}' is missing", key), "expected text");
    return "";
  }
  return node.as_text();
}

std::string Node::text_or(std::string_view key, std::string fallback) {
  const Node node = child(key);
  return node.is_present() ? node.as_text() : std::move(fallback);
}

std::optional<int> Node::word_here(const IndexedWords& words) const {
  if (is_scalar()) {
    for (const auto& [word, value] : words) {
      if (word == value_->text) return value;
    }
  }
  std::vector<std::string> names;
  for (const auto& [word, value] : words) names.emplace_back(word);
  fail(is_scalar() ? fmt::format("unknown value '{}'", value_->text) : "expected a word",
       spelling_hint(is_scalar() ? value_->text : "", names));
  return std::nullopt;
}

int Node::read_word(std::string_view key, const IndexedWords& words, std::optional<int> fallback) {
  const Node node = child(key);
  const int safe = fallback.value_or(words.front().second);
  if (!node.is_present()) {
    if (!fallback && is_mapping_or_fails()) fail(fmt::format("key '{}' is missing", key));
    return safe;
  }
  return node.word_here(words).value_or(safe);
}

void Node::fail(std::string message, std::string hint) const {
  if (is_known_bad_) return;
  decoding_->diagnostics.add({place(), path_, std::move(message), std::move(hint)});
}

void Node::fail_at(std::string_view key, std::string message, std::string hint) const {
  if (is_known_bad_) return;
  const Value* member = is_mapping() ? value_->find(key) : nullptr;
  decoding_->diagnostics.add({member ? member->place() : place(),
                              path_.empty() ? std::string(key) : path_ + "." + std::string(key), std::move(message),
                              std::move(hint)});
}

void Node::warn(const std::string& message) const {
  decoding_->warnings.push_back(render_diagnostic({place(), path_, message, ""}));
}

void Node::read_block_source() {
  IndexedWords words;
  for (const NamedKind& named : kKinds) words.emplace_back(named.name, static_cast<int>(named.kind));
  read_word("kind", words, std::nullopt);
  require_text("source");
}

void Node::expect_schema(std::string_view expected) {
  const std::string found = text_or("schema", "");
  if (found == expected) return;
  if (found.empty()) {
    fail("key 'schema' is missing", fmt::format("write 'schema: {}'", expected));
  } else {
    fail_at("schema", fmt::format("schema '{}' is not read here", found), fmt::format("expected '{}'", expected));
  }
}

void Node::finish() const {
  if (!is_mapping()) {
    if (is_present()) fail("expected members ('key: value')");
    return;
  }
  const auto knows = [](const std::vector<std::string>& keys, const std::string& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  for (const Member& member : value_->members) {
    if (knows(asked_, member.key)) continue;
    std::vector<std::string> known = asked_;
    for (const std::string& key : looked_for_) {
      if (!knows(known, key)) known.push_back(key);
    }
    decoding_->diagnostics.add(
        {member.key_place, path_, fmt::format("unknown key '{}'", member.key), spelling_hint(member.key, known)});
  }
}

}  // namespace mlosim::spec
