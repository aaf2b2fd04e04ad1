// The files that suites are read from: which of the two kinds one is, and its text. Knows nothing of what is in them.
#pragma once

#include <string>
#include <string_view>

namespace mlosim::suite {

// Whether a path is that of a CSV table of kernel times, by its ending in either case; other suites are YAML.
bool is_table(std::string_view path);

// The whole file as it stands, or standard input for "-". Throws spec::InputError where it cannot be read.
std::string read_text(const std::string& path);

}  // namespace mlosim::suite
