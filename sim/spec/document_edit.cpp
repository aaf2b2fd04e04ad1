// What is done to a tree once it is read: laying one over another, setting a value at a path, writing it as YAML.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "sim/spec/document.hpp"

namespace mlosim::spec {
namespace {

bool is_annotated(const Value& value) { return value.is_mapping() && value.find("value") != nullptr; }

// True for text that would mean something else without quotes. A negative number stays bare, or it would be text.
bool needs_quotes(std::string_view text) {
  static constexpr std::string_view kSpecial = ":#{}[],&*!|>'\"%@`";
  static constexpr std::array<std::string_view, 5> kWords{"~", "null", "Null", "NULL", "<<"};
  if (text.empty() || text.find_first_of(kSpecial) != std::string_view::npos || text.front() == ' ' ||
      text.back() == ' ')
    return true;
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; })) return true;
  const bool is_negative =
      text.size() > 1 && text.front() == '-' && (std::isdigit(static_cast<unsigned char>(text[1])) || text[1] == '.');
  return (text.front() == '-' && !is_negative) || text.front() == '?' ||
         std::find(kWords.begin(), kWords.end(), text) != kWords.end();
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string scalar_text(const std::string& text, bool quoted) {
  return quoted || needs_quotes(text) ? quote(text) : text;
}

void render(const Value& value, std::size_t indent, std::string& out) {
  const std::string pad(indent, ' ');
  switch (value.kind) {
    case Value::Kind::null:
      out += " ~\n";
      return;
    case Value::Kind::scalar:
      out += " " + scalar_text(value.text, value.quoted) + "\n";
      return;
    case Value::Kind::sequence:
      if (value.items.empty()) {
        out += " []\n";
        return;
      }
      out += "\n";
      for (const Value& item : value.items) {
        out += pad + "-";
        render(item, indent + 2, out);
      }
      return;
    case Value::Kind::mapping:
      if (value.members.empty()) {
        out += " {}\n";
        return;
      }
      out += "\n";
      for (const Member& member : value.members) {
        out += pad + scalar_text(member.key, false) + ":";
        render(member.value, indent + 2, out);
      }
      return;
  }
}

}  // namespace

Value make_scalar(std::string text, const std::string& origin) {
  Value value;
  value.kind = Value::Kind::scalar;
  value.text = std::move(text);
  value.file = std::make_shared<const std::string>(origin);
  return value;
}

Value merge(const Value& base, const Value& over) {
  if (!base.is_mapping() || !over.is_mapping() || is_annotated(base) || is_annotated(over)) return over;
  Value merged = base;
  merged.file = over.file;
  merged.line = over.line;
  merged.column = over.column;
  for (const Member& member : over.members) {
    if (Value* old = merged.find(member.key)) {
      *old = merge(*old, member.value);
    } else {
      merged.members.push_back(member);
    }
  }
  return merged;
}

void set_at(Value& root, std::string_view path, Value value) {
  Value* at = &root;
  const Place place = value.place();
  const auto refuse = [&](const std::string& message) -> void {
    throw InputError({{.place = place, .path = std::string(path), .message = message, .hint = ""}});
  };
  std::string_view rest = path;
  while (true) {
    const std::size_t dot = rest.find('.');
    const std::string_view key = rest.substr(0, dot);
    if (key.empty()) refuse("a path is words with single dots between them");
    Value* next = nullptr;
    if (at->kind == Value::Kind::sequence) {
      std::size_t index = 0;
      const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
      if (error != std::errc() || end != key.data() + key.size() || index >= at->items.size()) {
        refuse(fmt::format("'{}' is not an index below {}", key, at->items.size()));
      }
      next = &at->items[index];
    } else {
      if (at->kind == Value::Kind::null || is_annotated(*at)) {
        at->kind = Value::Kind::mapping;
        at->members.clear();
      }
      const auto parent =
          path.substr(0, static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, key.data() - path.data() - 1)));
      if (!at->is_mapping())
        refuse(parent.empty() ? "there are no members to set" : fmt::format("'{}' has no members", parent));
      next = at->find(key);
      if (!next) {
        Value fresh;
        fresh.file = value.file;
        at->members.push_back({std::string(key), place, std::move(fresh)});
        next = &at->members.back().value;
      }
    }
    at = next;
    if (dot == std::string_view::npos) break;
    rest = rest.substr(dot + 1);
  }
  *at = std::move(value);
}

std::string render_yaml(const Value& value) {
  std::string out;
  render(value, 0, out);
  if (out.starts_with('\n')) out.erase(0, 1);
  return out;
}

}  // namespace mlosim::spec
