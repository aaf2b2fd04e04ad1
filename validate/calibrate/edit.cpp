#include "validate/calibrate/edit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "sim/spec/document.hpp"
#include "validate/suite/suite_file.hpp"

namespace mlosim::calibrate {
namespace {

[[noreturn]] void refuse(const spec::Place& place, std::string_view path, std::string message) {
  throw spec::InputError({{.place = place,
                           .path = std::string(path),
                           .message = std::move(message),
                           .hint = "put the number there by hand"}});
}

// Where line `line` (from 1) starts; the text's end where there are fewer.
std::size_t start_of_line(std::string_view text, int line) {
  std::size_t at = 0;
  for (int i = 1; i < line; ++i) {
    at = text.find('\n', at);
    if (at == std::string_view::npos) return text.size();
    ++at;
  }
  return at;
}

// Walks over YAML in braces. A quote opens only where a token starts, for plain text may hold apostrophes, and what
// follows a '#' between tokens is a comment.
class FlowReader {
 public:
  FlowReader(std::string_view text, std::size_t start) : text_(text), at_(start) {}

  // One past the '}' that closes the '{' at the start; nothing where none does.
  std::optional<std::size_t> end() {
    int depth = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '#' && (starts_token_ || is_space(text_[at_ - 1]))) {
        at_ = std::min(text_.find('\n', at_), text_.size()) - 1;
      } else if ((c == '"' || c == '\'') && starts_token_) {
        if (!skip_quoted(c)) return std::nullopt;
        starts_token_ = true;  // what follows a quoted key directly is its ':'
      } else if (c == '{' || c == '[') {
        ++depth;
        starts_token_ = true;
      } else if (c == '}' || c == ']') {
        if (--depth == 0) return at_ + 1;
        starts_token_ = false;
      } else if (c == ',' || (c == ':' && (at_ + 1 == text_.size() || is_space(text_[at_ + 1])))) {
        starts_token_ = true;
      } else if (!is_space(c)) {
        starts_token_ = starts_token_ && c == ':';
      }
    }
    return std::nullopt;
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  // To the quote that closes the one here; false where none does.
  bool skip_quoted(char quote) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\' && quote == '"') {
        ++at_;
      } else if (text_[at_] == quote) {
        const bool is_doubled = quote == '\'' && at_ + 1 < text_.size() && text_[at_ + 1] == quote;
        if (!is_doubled) return true;
        ++at_;
      }
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_;
  bool starts_token_ = true;
};

// The new annotation with its `kind` in the column of the old one's, where the new number is no longer.
std::string aligned(std::string annotation, std::string_view old) {
  const std::size_t was = old.find("kind:"), is = annotation.find("kind:");
  if (was != std::string_view::npos && is < was) annotation.insert(is, was - is, ' ');
  return annotation;
}

class Editor {
 public:
  Editor(std::string text, const std::string& name)
      : text_(std::move(text)), name_(name), newline_(text_.find("\r\n") == std::string::npos ? "\n" : "\r\n") {}

  void put(const std::string& path, const Entry& entry) {
    const spec::Value root = spec::parse_document(text_, name_);
    const spec::Value* at = &root;
    const spec::Member* member = nullptr;  // that `at` is the value of
    std::string_view rest = path;
    while (!rest.empty()) {
      const std::size_t dot = rest.find('.');
      const std::string key(rest.substr(0, dot));
      const spec::Value* next = at->kind == spec::Value::Kind::sequence ? item(*at, key) : nullptr;
      if (!next) {
        const auto found =
            std::find_if(at->members.begin(), at->members.end(), [&](const spec::Member& m) { return m.key == key; });
        if (found == at->members.end()) return add(*at, member, path, rest, entry);
        member = &*found;
        next = &found->value;
      }
      at = next;
      rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
    }
    replace(*at, path, entry);
  }

  std::string take() { return std::move(text_); }

 private:
  static const spec::Value* item(const spec::Value& list, const std::string& index) {
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (std::to_string(i) == index) return &list.items[i];
    }
    return nullptr;
  }

  std::size_t offset_of(const spec::Value& value) const {
    return std::min(start_of_line(text_, value.line) + static_cast<std::size_t>(value.column - 1), text_.size());
  }

  void replace(const spec::Value& value, std::string_view path, const Entry& entry) {
    const std::size_t start = offset_of(value);
    std::size_t end = start;
    if (value.is_scalar() && !value.quoted && text_.compare(start, value.text.size(), value.text) == 0) {
      end = start + value.text.size();
    } else if (value.is_mapping() && start < text_.size() && text_[start] == '{') {
      const std::optional<std::size_t> closed = FlowReader(text_, start).end();
      if (!closed) refuse(value.place(), path, "no '}' closes this number");
      end = *closed;
    } else {
      refuse(value.place(), path, "this number is not written as {value: …} on one line");
    }
    text_.replace(start, end - start, aligned(entry.annotated(), std::string_view(text_).substr(start, end - start)));
  }

  // Adds `rest` of `path` below the mapping `parent`, the value of `member` (null for the whole document).
  void add(const spec::Value& parent, const spec::Member* member, std::string_view path, std::string_view rest,
           const Entry& entry) {
    if (parent.find("value") || !(parent.is_mapping() || parent.kind == spec::Value::Kind::null))
      refuse(parent.place(), path, "this path runs through something that is no mapping of numbers");
    if (parent.is_mapping() && offset_of(parent) < text_.size() && text_[offset_of(parent)] == '{')
      refuse(parent.place(), path, "this mapping is written on one line and cannot be added to");
    std::size_t indent = 0;
    std::size_t at = text_.size();
    if (member) {
      const auto own = static_cast<std::size_t>(member->key_place.column - 1);
      indent = parent.members.empty() ? own + 2 : static_cast<std::size_t>(parent.members.front().key_place.column - 1);
      at = end_of_block(member->key_place.line, own);
    }
    std::string lines;
    if (at > 0 && text_[at - 1] != '\n') lines += newline_;
    if (!member) lines += newline_;
    while (true) {
      const std::size_t dot = rest.find('.');
      lines += fmt::format("{:{}}{}:", "", indent, rest.substr(0, dot));
      if (dot == std::string_view::npos) break;
      lines += newline_;
      rest = rest.substr(dot + 1);
      indent += 2;
    }
    lines += ' ' + entry.annotated() + newline_;
    text_.insert(at, lines);
  }

  // Where the block of the key in line `line`, indented by `indent`, ends: after its last line that says something.
  std::size_t end_of_block(int line, std::size_t indent) const {
    std::size_t end = start_of_line(text_, line + 1);
    for (std::size_t at = end; at < text_.size();) {
      const std::size_t next = std::min(text_.find('\n', at), text_.size() - 1) + 1;
      const std::size_t first = text_.find_first_not_of(' ', at);
      const bool is_blank = first >= next || text_[first] == '\n' || text_[first] == '\r' || text_[first] == '#';
      if (!is_blank && first - at <= indent) break;
      if (!is_blank) end = next;
      at = next;
    }
    return end;
  }

  std::string text_;
  const std::string& name_;
  std::string newline_;  // as the file's lines end
};

}  // namespace

std::string edit_document(std::string text, const std::string& name, std::string_view prefix,
                          const std::vector<Entry>& entries) {
  spec::Value expected = spec::parse_document(text, name);
  Editor editor(std::move(text), name);
  for (const Entry& entry : entries) {
    const std::string path = std::string(prefix) + entry.path;
    editor.put(path, entry);
    spec::set_at(expected, path, spec::parse_document(entry.annotated(), name));
  }
  std::string edited = editor.take();
  // YAML can be written in ways that an editor of text does not see through, such as aliases.
  if (spec::render_yaml(spec::parse_document(edited, name)) != spec::render_yaml(expected))
    refuse({name, 0, 0}, "", "the numbers cannot be put into this file without changing others");
  return edited;
}

std::vector<EditedFile> edited_files(const spec::Library& library, const Calibration& calibration,
                                     const std::vector<Entry>& entries, Destination destination) {
  if (!calibration.runtime.empty()) {
    const std::string file = library.require(spec::Shelf::runtimes, calibration.runtime);
    return {{file, edit_document(suite::read_text(file), file, "families." + calibration.family + ".", entries)}};
  }
  if (destination == Destination::chip) {
    if (calibration.chips.size() > 1) {
      throw spec::InputError("the numbers of several chips cannot be one chip's own",
                             "--family writes them to their family");
    }
    const std::string file = library.require(spec::Shelf::chips, calibration.chips.front());
    return {{file, edit_document(suite::read_text(file), file, "", entries)}};
  }
  std::map<std::string, std::vector<Entry>> by_file;
  for (const Entry& entry : entries) {
    for (const FittedParameter& p : calibration.parameters) {
      if (p.parameter.path == "chip." + entry.path) by_file[p.parameter.file].push_back(entry);
    }
  }
  std::vector<EditedFile> files;
  for (const auto& [file, own] : by_file) files.push_back({file, edit_document(suite::read_text(file), file, "", own)});
  return files;
}

}  // namespace mlosim::calibrate
