#include "sim/spec/library.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "sim/spec/spelling.hpp"
#include "sim/units/check.hpp"

namespace mlosim::spec {
namespace {

namespace fs = std::filesystem;

struct ShelfPlace {
  Shelf shelf;
  std::string_view name;
  std::string_view singular;
  std::string_view folder;
};
constexpr std::array kShelves{
    ShelfPlace{Shelf::chips, "chips", "chip", "hw_specs/chips"},
    ShelfPlace{Shelf::systems, "systems", "system", "hw_specs/systems"},
    ShelfPlace{Shelf::families, "families", "family", "hw_specs/families"},
    ShelfPlace{Shelf::models, "models", "model", "models/zoo"},
    ShelfPlace{Shelf::runtimes, "runtimes", "runtime", "models/runtimes"},
    ShelfPlace{Shelf::workloads, "workloads", "workload", "models/workloads"},
    ShelfPlace{Shelf::studies, "studies", "study", "models/studies"},
    ShelfPlace{Shelf::suites, "suites", "suite", "validate/suites"},
    ShelfPlace{Shelf::protocols, "protocols", "protocol", "validate/protocols"},
};

const ShelfPlace& shelf_of(Shelf shelf) {
  for (const ShelfPlace& place : kShelves) {
    if (place.shelf == shelf) return place;
  }
  MLOSIM_CHECK(false);
}

// What the files of a shelf end in, the first in preference. A suite is a table of measurements or a document.
std::vector<std::string> endings_of(Shelf shelf) {
  return shelf == Shelf::suites ? std::vector<std::string>{".csv", ".yaml"} : std::vector<std::string>{".yaml"};
}

// Whether a document lies beside the table that it describes: x.yaml or x.csv.yaml beside x.csv.
bool is_sidecar(const fs::path& file, const std::vector<fs::path>& files) {
  if (file.extension() != ".yaml") return false;
  const auto is_there = [&](const fs::path& table) {
    return table.extension() == ".csv" && std::find(files.begin(), files.end(), table) != files.end();
  };
  return is_there(fs::path(file).replace_extension(".csv")) || is_there(fs::path(file).replace_extension());
}

// The files of a shelf below a folder, in a reproducible order.
std::vector<fs::path> files_below(const fs::path& folder, Shelf shelf) {
  const std::vector<std::string> endings = endings_of(shelf);
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, error), end;
       !error && it != end; it.increment(error)) {
    const bool is_read = std::find(endings.begin(), endings.end(), it->path().extension().string()) != endings.end();
    if (is_read && it->is_regular_file(error)) files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  if (shelf == Shelf::suites) {
    const std::vector<fs::path> all = files;
    std::erase_if(files, [&](const fs::path& file) { return is_sidecar(file, all); });
  }
  return files;
}

}  // namespace

std::string_view name_of(Shelf shelf) { return shelf_of(shelf).name; }

std::vector<std::string> shelf_names() {
  std::vector<std::string> names;
  for (const ShelfPlace& place : kShelves) names.emplace_back(place.name);
  return names;
}

std::optional<Shelf> shelf_named(std::string_view name) {
  for (const ShelfPlace& place : kShelves) {
    if (place.name == name) return place.shelf;
  }
  return std::nullopt;
}

bool is_path(std::string_view text) {
  const auto ends = [&](std::string_view tail) { return text.size() > tail.size() && text.ends_with(tail); };
  return text == "-" || text.find('/') != std::string_view::npos || ends(".yaml") || ends(".yml") || ends(".json") ||
         ends(".onnx") || ends(".csv");
}

std::vector<std::string> Library::names(Shelf shelf) const {
  std::set<std::string> names;
  for (const std::string& root : roots_) {
    for (const fs::path& file : files_below(fs::path(root) / shelf_of(shelf).folder, shelf))
      names.insert(file.stem().string());
  }
  return {names.begin(), names.end()};
}

std::optional<std::string> Library::find(Shelf shelf, std::string_view name) const {
  const std::vector<std::string> endings = endings_of(shelf);
  const auto named_in = [&](const fs::path& folder) -> std::optional<std::string> {
    std::error_code error;
    for (const std::string& ending : endings) {
      const fs::path file = folder / (std::string(name) + ending);
      if (fs::is_regular_file(file, error)) return file.string();
    }
    return std::nullopt;
  };
  for (const std::string& root : roots_) {
    const fs::path folder = fs::path(root) / shelf_of(shelf).folder;
    if (auto file = named_in(folder)) return file;
    for (const fs::path& file : files_below(folder, shelf)) {
      if (file.stem() == name) return file.string();
    }
    if (auto file = named_in(root)) return file;
  }
  return std::nullopt;
}

std::string Library::require(Shelf shelf, std::string_view name_or_path, const Place& asked_at) const {
  if (is_path(name_or_path)) return std::string(name_or_path);
  if (auto file = find(shelf, name_or_path)) return *file;
  const ShelfPlace& place = shelf_of(shelf);
  throw InputError({{.place = asked_at,
                     .path = "",
                     .message = fmt::format("no {} is called '{}'", place.singular, name_or_path),
                     .hint = spelling_hint(name_or_path, names(shelf))}});
}

std::optional<std::string> Library::find_file(std::string_view path) const {
  std::error_code error;
  for (const std::string& root : roots_) {
    const fs::path file = fs::path(root) / path;
    if (fs::is_regular_file(file, error)) return file.string();
  }
  return std::nullopt;
}

}  // namespace mlosim::spec
