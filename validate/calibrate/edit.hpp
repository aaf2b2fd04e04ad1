// Puts numbers into the text of a YAML file: each is replaced where it stands, from its '{' to its '}', or added to the
// mapping that it belongs in. Every other byte of the file, comments included, stays as it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/spec/library.hpp"
#include "validate/calibrate/calibrate.hpp"
#include "validate/calibrate/overlay.hpp"

namespace mlosim::calibrate {

// The text of the file `name` with the entries in it, each at `prefix` + its path. Throws spec::InputError where a path
// runs through a number or through a mapping on one line, which cannot be added to, and where the edited file would not
// say the same as before but for the entries.
std::string edit_document(std::string text, const std::string& name, std::string_view prefix,
                          const std::vector<Entry>& entries);

// Where a calibration is written.
enum class Destination {
  chip,    // the chip's own file, whatever its family has; of a runtime's kernels, the runtime's file
  family,  // the file that each number stands in: the family's, unless the chip has its own
};

// A file and what it should hold.
struct EditedFile {
  std::string path;
  std::string text;
};

// The files that the entries change. Throws spec::InputError where several chips were fitted and the numbers are to be
// one chip's own, or where a file cannot be edited.
std::vector<EditedFile> edited_files(const spec::Library& library, const Calibration& calibration,
                                     const std::vector<Entry>& entries, Destination destination);

}  // namespace mlosim::calibrate
