// Includes run downwards only. kMayInclude is the architecture; this test holds the link graph of CMakeLists.txt and
// the #includes of every source to it. What is in no folder's list is not linked and not included.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/source_tree.hpp"

namespace {

namespace fs = std::filesystem;
using mlosim::support::read_lines;
using mlosim::support::read_text;
using mlosim::support::source_dir;
using mlosim::support::source_files;
using testing::IsEmpty;

using Folders = std::set<std::string>;

// From the bottom up: a folder names only folders above it in this list, which is therefore free of cycles.
const std::vector<std::pair<std::string, Folders>> kMayInclude = {
    {"sim/units", {}},
    {"sim/work", {"sim/units"}},
    {"sim/event", {"sim/units"}},
    {"sim/spec", {"sim/work", "sim/units"}},
    {"sim/tile", {"sim/spec", "sim/event", "sim/work", "sim/units"}},
    {"sim/chip", {"sim/tile", "sim/spec", "sim/work", "sim/units"}},
    {"sim/net", {"sim/spec", "sim/event", "sim/work", "sim/units"}},
    {"sim/machine", {"sim/chip", "sim/net", "sim/event", "sim/spec", "sim/work", "sim/units"}},
    {"sim/report", {"sim/machine", "sim/chip", "sim/net", "sim/event", "sim/spec", "sim/work", "sim/units"}},
    {"models/graph", {"sim/spec", "sim/work", "sim/units"}},
    {"models/plan", {"models/graph", "sim/machine", "sim/spec", "sim/work", "sim/units"}},
    {"models/import", {"models/graph", "sim/spec", "sim/units"}},
    {"models/predict",
     {"models/import", "models/plan", "models/graph", "sim/report", "sim/machine", "sim/chip", "sim/net", "sim/spec",
      "sim/work", "sim/units"}},
    {"models/explore", {"models/predict", "models/plan", "models/graph", "sim/chip", "sim/spec", "sim/units"}},
    {"validate/suite", {"models/predict", "sim/spec", "sim/work", "sim/units"}},
    {"validate/compare",
     {"validate/suite", "models/predict", "sim/machine", "sim/chip", "sim/net", "sim/spec", "sim/work", "sim/units"}},
    {"validate/calibrate",
     {"validate/compare", "validate/suite", "sim/machine", "sim/chip", "sim/spec", "sim/work", "sim/units"}},
};

// Libraries that take long to compile or whose types must not leak into ours.
const std::vector<std::string> kOnlyInSources = {"yaml-cpp/", "nlohmann/", "CLI/",   "ceres/",    "pagmo/",
                                                 "Eigen/",    "tbb/",      "boost/", "sqlite3.h", "mpi.h"};

std::optional<Folders> may_include(const std::string& folder) {
  for (const auto& [name, below] : kMayInclude) {
    if (name == folder) return below;
  }
  return std::nullopt;
}

struct Include {
  fs::path file;     // who includes
  int line;          // counted from 1
  std::string path;  // what is included, as written
  bool quoted;       // "…" rather than <…>

  std::string where() const { return file.string() + ":" + std::to_string(line) + ": includes " + path; }
};

std::vector<Include> includes_of(const std::vector<fs::path>& files) {
  static const std::regex kInclude(R"(\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
  std::vector<Include> includes;
  for (const fs::path& file : files) {
    int number = 0;
    for (const std::string& line : read_lines(source_dir() / file)) {
      ++number;
      std::smatch match;
      if (std::regex_match(line, match, kInclude)) {
        includes.push_back({.file = file, .line = number, .path = match[2], .quoted = match[1] == "\""});
      }
    }
  }
  return includes;
}

bool below(const std::string& folder, const std::string& top) { return folder.rfind(top + "/", 0) == 0; }

// tools/ is the top: it reaches everything. validate/ reaches everything but tools/. The stand-alone measuring program
// validate/cuda reaches nothing but itself.
bool allowed(const std::string& from, const std::string& to) {
  if (from == to) return true;
  if (below(from, "tools")) return !below(to, "tests");
  if (from == "validate/cuda" || below(from, "validate/cuda")) return below(to, "validate/cuda");
  if (from == "validate" || below(from, "validate")) return may_include(to).has_value() || below(to, "validate");
  const std::optional<Folders> folders = may_include(from);
  return folders.has_value() && folders->count(to) > 0;
}

const std::vector<std::string> kProduct = {"sim", "models", "validate", "tools"};

TEST(Layers, EveryFolderNamesOnlyFoldersBelowIt) {
  Folders seen;
  for (const auto& [folder, below_it] : kMayInclude) {
    for (const std::string& other : below_it) EXPECT_TRUE(seen.count(other) > 0) << folder << " names " << other;
    seen.insert(folder);
  }
}

TEST(Layers, TheLinkGraphIsTheIncludeGraph) {
  std::map<std::string, Folders> linked;
  const std::string cmake = read_text(source_dir() / "CMakeLists.txt");
  const std::regex library(R"(mlosim_library\(\s*(\S+)\s*(?:DEPENDS\s+([^)]*?))?\s*(?:LINKS\s+[^)]*)?\))");
  const std::regex word(R"(\S+)");
  for (std::sregex_iterator call(cmake.begin(), cmake.end(), library), end; call != end; ++call) {
    const std::string depends = (*call)[2];
    Folders& folders = linked[(*call)[1]];
    for (std::sregex_iterator name(depends.begin(), depends.end(), word); name != end; ++name) {
      folders.insert(name->str());
    }
  }
  for (const auto& [folder, below_it] : kMayInclude) EXPECT_EQ(linked[folder], below_it) << folder;
  EXPECT_EQ(linked.size(), kMayInclude.size());
}

TEST(Layers, NoIncludeGoesUpward) {
  std::vector<std::string> upward;
  for (const Include& include : includes_of(source_files(kProduct, {".hpp", ".cpp"}))) {
    const std::string from = include.file.parent_path().string();
    const std::string to = fs::path(include.path).parent_path().string();
    if (include.quoted && !allowed(from, to)) upward.push_back(include.where());
  }
  EXPECT_THAT(upward, IsEmpty());
}

TEST(Layers, QuotedIncludesAreFilesOfTheRepositoryByTheirWholePath) {
  std::vector<std::string> missing;
  for (const Include& include :
       includes_of(source_files({"sim", "models", "validate", "tools", "tests"}, {".hpp", ".cpp"}))) {
    if (include.quoted && !fs::exists(source_dir() / include.path)) missing.push_back(include.where());
  }
  EXPECT_THAT(missing, IsEmpty());
}

TEST(Layers, EveryFolderWithSourcesHasItsPlace) {
  Folders unknown;
  for (const fs::path& file : source_files({"sim", "models"}, {".hpp", ".cpp"})) {
    const std::string folder = file.parent_path().string();
    if (!may_include(folder)) unknown.insert(folder);
  }
  EXPECT_THAT(unknown, IsEmpty());
}

TEST(Layers, HeavyLibrariesStayOutOfHeaders) {
  std::vector<std::string> leaks;
  for (const Include& include : includes_of(source_files(kProduct, {".hpp"}))) {
    for (const std::string& library : kOnlyInSources) {
      if (include.path == "nlohmann/json_fwd.hpp") continue;  // names alone, made for headers
      if (include.path.rfind(library, 0) == 0) leaks.push_back(include.where());
    }
  }
  EXPECT_THAT(leaks, IsEmpty());
}

}  // namespace
