// What commands write besides their standard output.
#pragma once

#include <string>
#include <vector>

namespace mlosim::cli {

// Throws spec::InputError where the file cannot be written, or is one of `inputs`, which would be lost. To be asked
// before long work and before the first of several files is written.
void check_destination(const std::string& path, const std::vector<std::string>& inputs = {});

// The same of several options' files, by the option's name; those left out are empty. Two may not be one file.
struct Destination {
  std::string option, path;
};
void check_destinations(const std::vector<Destination>& destinations, const std::vector<std::string>& inputs);

// Writes beside the file and renames, so that a reader never sees half of it; a file that is there keeps its
// permissions, a link its place. What is no file, such as a pipe or a device, is written to as it is. Throws
// spec::InputError where it cannot.
void write_file(const std::string& path, const std::string& text);

}  // namespace mlosim::cli
