#include "sim/spec/runtime_document.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

namespace mlosim::spec {
namespace {

constexpr std::size_t kMostText = 1 << 20;  // larger files are read as any other, or refused

// A line of a document: how far it is indented, and what follows.
struct Line {
  std::size_t indent;
  std::string_view rest;

  explicit Line(std::string_view text) : indent(std::min(text.find_first_not_of(' '), text.size())) {
    rest = text.substr(indent);
    while (!rest.empty() && (rest.back() == ' ' || rest.back() == '\r')) rest.remove_suffix(1);
  }

  bool says_nothing() const { return rest.empty() || rest.front() == '#'; }

  // The key of a line "key: …"; empty for any other.
  std::string_view key() const {
    const std::size_t end = rest.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    const bool is_key =
        end != std::string_view::npos && rest[end] == ':' && (end + 1 == rest.size() || rest[end + 1] == ' ');
    return is_key ? rest.substr(0, end) : std::string_view();
  }
};

// The text with empty lines in place of the other families, so that places stay; null where it is not laid out for it.
std::optional<std::string> without_other_families(std::string_view text, std::string_view family) {
  std::string kept;
  kept.reserve(text.size());
  bool in_families = false, is_dropped = false;
  std::size_t family_indent = 0;  // 0: no family has come yet
  while (!text.empty()) {
    const std::string_view whole = text.substr(0, text.find('\n'));
    const Line line(whole);
    if (line.says_nothing()) {
      kept += line.rest.empty() || is_dropped ? std::string_view() : whole;
    } else {
      if (line.indent == 0) {
        if (line.key().empty()) return std::nullopt;
        in_families = line.rest == "families:";
        is_dropped = false;
        family_indent = 0;
      } else if (in_families && (family_indent == 0 || line.indent <= family_indent)) {
        if (line.key().empty() || (family_indent > 0 && line.indent < family_indent)) return std::nullopt;
        family_indent = line.indent;
        is_dropped = line.key() != family;
      }
      if (!is_dropped) kept += whole;
    }
    text.remove_prefix(whole.size());
    if (text.empty()) break;
    kept += '\n';
    text.remove_prefix(1);
  }
  return kept;
}

}  // namespace

Value read_runtime_document(const std::string& path, std::string_view family) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error) || std::filesystem::file_size(path, error) > kMostText || error)
    return read_document(path);
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::optional<std::string> kept = without_other_families(text, family);
  if (!kept) return read_document(path);
  try {
    return parse_document(*kept, path);
  } catch (const InputError&) {
    return read_document(path);  // an alias may refer to another family; a mistake is told as of the whole file
  }
}

}  // namespace mlosim::spec
