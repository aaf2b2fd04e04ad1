// What commands write besides their standard output.
#pragma once

#include <string>

namespace mlosim::cli {

// Writes beside the file and renames, so that a reader never sees half of it. Throws spec::InputError where it cannot.
void write_file(const std::string& path, const std::string& text);

}  // namespace mlosim::cli
