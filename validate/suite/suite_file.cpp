#include "validate/suite/suite_file.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <system_error>
#include <utility>

#include "sim/spec/diagnostics.hpp"

namespace mlosim::suite {
namespace {

// More than a document may have, so that endless input ends and is refused.
constexpr std::size_t kMostStandardInput = 8 << 20;

}  // namespace

bool is_table(std::string_view path) {
  constexpr std::string_view kEnding = ".csv";
  if (path.size() < kEnding.size()) return false;
  const std::string_view ending = path.substr(path.size() - kEnding.size());
  return std::equal(ending.begin(), ending.end(), kEnding.begin(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

std::string read_text(const std::string& path) {
  if (path == "-") {
    std::string text(kMostStandardInput, '\0');
    std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::cin.gcount()));
    return text;
  }
  const auto refuse = [&](std::string message, std::string hint) {
    throw spec::InputError(
        {{.place = {path, 0, 0}, .path = "", .message = std::move(message), .hint = std::move(hint)}});
  };
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) refuse("this is a folder, not a file", "");
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse("the file cannot be read", "does it exist?");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace mlosim::suite
