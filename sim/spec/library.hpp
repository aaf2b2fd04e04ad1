// Finds files by name: chips, systems, models … in the folders of $MLOSIM_PATH and then in the built-in ones.
//
// A root holds hw_specs/ and models/ as the repository does; a file in the root itself is found too. Files may lie in
// sub-folders (hw_specs/chips/next/x.yaml is the chip "x"). A suite is a YAML document or a table, x.csv; the x.yaml
// or x.csv.yaml beside a table describes it and has no name of its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/spec/diagnostics.hpp"

namespace mlosim::spec {

enum class Shelf { chips, systems, families, models, runtimes, workloads, studies, suites, protocols };

// "chips", "systems", …
std::string_view name_of(Shelf shelf);
std::vector<std::string> shelf_names();
std::optional<Shelf> shelf_named(std::string_view name);

// True for what must be a file rather than a name: it has a slash, an extension that is read, or is "-".
bool is_path(std::string_view text);

class Library {
 public:
  // Roots are searched in order; the first file found wins.
  explicit Library(std::vector<std::string> roots) : roots_(std::move(roots)) {}

  // Names on a shelf, sorted, without repetitions.
  std::vector<std::string> names(Shelf shelf) const;
  // The file of a name, if there is one.
  std::optional<std::string> find(Shelf shelf, std::string_view name) const;
  // The file of a name or path; throws InputError with the nearest name, pointing at where the name was written.
  std::string require(Shelf shelf, std::string_view name_or_path, const Place& asked_at = {}) const;
  // The file at a path below a root, of the first root that has it.
  std::optional<std::string> find_file(std::string_view path) const;

 private:
  std::vector<std::string> roots_;
};

}  // namespace mlosim::spec
