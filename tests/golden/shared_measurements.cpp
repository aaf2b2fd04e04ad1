#include "tests/golden/shared_measurements.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "sim/spec/library.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::golden {
namespace {

namespace fs = std::filesystem;

// Where the marked text begins and ends.
std::pair<std::size_t, std::size_t> find_marked(const std::string& text, const std::string& name) {
  const std::size_t begin = text.find("<!-- " + name + ": begin");
  const std::size_t start = begin == std::string::npos ? begin : text.find('\n', begin) + 1;
  const std::size_t end = text.find("<!-- " + name + ": end");
  if (begin == std::string::npos || end == std::string::npos || end < start)
    throw std::runtime_error("no text is marked '" + name + "'");
  return {start, end};
}

}  // namespace

std::vector<std::string> shared_tables() {
  std::vector<std::string> tables;
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(support::source_dir() / "../shared/data/kernels", error)) {
    if (entry.path().extension() == ".csv") tables.push_back(entry.path().string());
  }
  std::sort(tables.begin(), tables.end());
  return tables;
}

const compare::Validation& shared_score() {
  static const compare::Validation validation = compare::validate(spec::Library({support::source_dir().string()}),
                                                                  shared_tables(), {.half = compare::Half::score});
  return validation;
}

std::string marked_text(const fs::path& file, const std::string& name) {
  const std::string text = support::read_text(file);
  const auto [start, end] = find_marked(text, name);
  return text.substr(start, end - start);
}

void expect_marked_text(const fs::path& file, const std::string& name, const std::string& expected) {
  const char* regenerate = std::getenv("MLOSIM_REGENERATE");
  if (regenerate && std::string(regenerate) == "1") {
    std::string text = support::read_text(file);
    const auto [start, end] = find_marked(text, name);
    support::write_text(file, text.replace(start, end - start, expected));
    return;
  }
  EXPECT_EQ(marked_text(file, name), expected)
      << "run golden_tests with MLOSIM_REGENERATE=1 to write " << file.filename() << " anew, and look at what changed";
}

}  // namespace mlosim::golden
