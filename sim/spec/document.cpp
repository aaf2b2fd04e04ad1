#include "sim/spec/document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "sim/spec/utf8.hpp"

namespace mlosim::spec {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxValues = 400'000;  // aliases expanded
constexpr std::size_t kMaxKeys = 4096;       // of one mapping, whose keys are searched one by one

// Levels of lists and mappings in a value.
std::size_t height_of(const Value& value) {
  std::size_t inner = 0;
  for (const Value& item : value.items) inner = std::max(inner, height_of(item));
  for (const Member& member : value.members) inner = std::max(inner, height_of(member.value));
  return value.kind == Value::Kind::sequence || value.kind == Value::Kind::mapping ? inner + 1 : 0;
}

// Builds the tree from yaml-cpp's events.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::shared_ptr<const std::string> file) : file_(std::move(file)) {}

  Value take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    complete(start(Value::Kind::null, mark), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) fail(mark, "this alias refers to a value that contains it", "");
    count(mark, known->second.size);
    if (stack_.size() + height_of(known->second.value) > kMaxDepth) fail_too_deep(mark);
    place(Value(known->second.value), mark);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    Value value = start(Value::Kind::scalar, mark);
    value.text = text;
    value.quoted = tag == "!";
    complete(std::move(value), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Value::Kind::sequence, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Value::Kind::mapping, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Value value;
    YAML::anchor_t anchor;
    bool has_key = false;
    std::string key;
    Place key_place;
    std::size_t values_before = 0;
  };
  struct Anchored {
    Value value;
    std::size_t size;
  };

  [[noreturn]] void fail(const YAML::Mark& mark, std::string message, std::string hint) const {
    throw InputError({{.place = {*file_, mark.line + 1, mark.column + 1},
                       .path = "",
                       .message = std::move(message),
                       .hint = std::move(hint)}});
  }

  [[noreturn]] void fail_too_deep(const YAML::Mark& mark) const {
    fail(mark, fmt::format("nested deeper than {} levels", kMaxDepth), "");
  }

  void count(const YAML::Mark& mark, std::size_t more) {
    values_ += more;
    if (values_ > kMaxValues) fail(mark, fmt::format("more than {} values, aliases counted each time", kMaxValues), "");
  }

  Value start(Value::Kind kind, const YAML::Mark& mark) {
    count(mark, 1);
    Value value;
    value.kind = kind;
    value.file = file_;
    value.line = mark.line + 1;
    value.column = mark.column + 1;
    return value;
  }

  void open(Value::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (stack_.size() >= kMaxDepth) fail_too_deep(mark);
    const std::size_t before = values_;
    stack_.push_back({.value = start(kind, mark),
                      .anchor = anchor,
                      .has_key = false,
                      .key = "",
                      .key_place = {},
                      .values_before = before});
  }

  void close() {
    Open done = std::move(stack_.back());
    stack_.pop_back();
    if (done.anchor) anchors_[done.anchor] = {done.value, values_ - done.values_before};
    const YAML::Mark mark = mark_of(done.value);
    place(std::move(done.value), mark);
  }

  static YAML::Mark mark_of(const Value& value) {
    YAML::Mark mark;
    mark.line = value.line - 1;
    mark.column = value.column - 1;
    return mark;
  }

  void complete(Value value, YAML::anchor_t anchor) {
    if (anchor) anchors_[anchor] = {value, 1};
    const YAML::Mark mark = mark_of(value);
    place(std::move(value), mark);
  }

  // Puts a finished value where it belongs: as the key or the value of the innermost mapping, an item, or the root.
  void place(Value value, const YAML::Mark& mark) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& top = stack_.back();
    if (top.value.kind == Value::Kind::sequence) {
      top.value.items.push_back(std::move(value));
    } else if (!top.has_key) {
      if (value.kind != Value::Kind::scalar) fail(mark, "a key must be a plain word", "");
      if (value.text == "<<" && !value.quoted) fail(mark, "merge keys ('<<') are not read", "write the members out");
      if (const Value* first = top.value.find(value.text)) {
        fail(mark, fmt::format("key '{}' appears twice", value.text),
             fmt::format("it was given in line {}", first->line));
      }
      if (top.value.members.size() >= kMaxKeys) fail(mark, fmt::format("a mapping of more than {} keys", kMaxKeys), "");
      top.key = std::move(value.text);
      top.key_place = {*file_, mark.line + 1, mark.column + 1};
      top.has_key = true;
    } else {
      top.value.members.push_back({std::move(top.key), std::move(top.key_place), std::move(value)});
      top.has_key = false;
    }
  }

  std::shared_ptr<const std::string> file_;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t values_ = 0;
  Value root_;
};

void check_size(std::size_t bytes, const std::string& name) {
  if (bytes <= kMaxBytes) return;
  throw InputError({{.place = {name, 0, 0},
                     .path = "",
                     .message = fmt::format("the file has {:.1f} MiB; at most {} MiB are read",
                                            static_cast<double>(bytes) / 0x1p20, kMaxBytes >> 20),
                     .hint = ""}});
}

void check_text(std::string_view text, const std::string& name) {
  const std::optional<std::size_t> bad = first_bad_byte(text);
  if (!bad) return;
  const std::string_view before = text.substr(0, *bad);
  const auto line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
  const auto column = static_cast<int>(before.size() - (before.rfind('\n') + 1)) + 1;  // npos + 1 is 0
  throw InputError({{.place = {name, line, column}, .path = "", .message = "this is not UTF-8 text", .hint = ""}});
}

}  // namespace

const Value* Value::find(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

Value* Value::find(std::string_view key) { return const_cast<Value*>(std::as_const(*this).find(key)); }

Value parse_document(std::string_view text, const std::string& name) {
  check_size(text.size(), name);
  check_text(text, name);
  TreeBuilder builder(std::make_shared<const std::string>(name));
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) {
      throw InputError({{.place = {name, 0, 0}, .path = "", .message = "the file is empty", .hint = ""}});
    }
    Value root = builder.take_root();
    TreeBuilder rest(std::make_shared<const std::string>(name));
    if (parser.HandleNextDocument(rest)) {
      throw InputError({{.place = {name, rest.take_root().line, 1},
                         .path = "",
                         .message = "a second document starts here",
                         .hint = "one file holds one document"}});
    }
    return root;
  } catch (const YAML::Exception& error) {
    throw InputError({{.place = {name, error.mark.line + 1, error.mark.column + 1},
                       .path = "",
                       .message = "this is not YAML: " + error.msg,
                       .hint = ""}});
  }
}

Value read_document(const std::string& path) {
  std::string text;
  if (path == "-") {
    // One byte more than is allowed, so that endless input ends.
    text.resize(kMaxBytes + 1);
    std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::cin.gcount()));
    return parse_document(text, "<stdin>");
  }
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw InputError({{.place = {path, 0, 0}, .path = "", .message = "this is a folder, not a file", .hint = ""}});
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw InputError(
        {{.place = {path, 0, 0}, .path = "", .message = "the file cannot be read", .hint = "does it exist?"}});
  if (const auto size = std::filesystem::file_size(path, error); !error) check_size(size, path);
  text.assign(std::istreambuf_iterator<char>(file), {});
  return parse_document(text, path);
}

}  // namespace mlosim::spec
