// What `mlosim check` and `mlosim show` do: read one file of any kind, to the end.
#pragma once

#include <string>
#include <vector>

#include "sim/spec/library.hpp"

namespace mlosim::predict {

struct Checked {
  std::string what;  // "chip", "system", "workload" …
  std::vector<std::string> warnings;
};

// Decodes a file by its schema, with all that it refers to. Throws spec::InputError with every mistake.
Checked check(const spec::Library& library, const std::string& name_or_path);

struct Shown {
  std::string file;
  std::string yaml;     // with what the file refers to laid in: a chip's family, a system's chip
  std::string silicon;  // what a chip takes of a wafer, as comments; empty of anything else
};

// Throws spec::InputError where there is no such thing.
Shown show(const spec::Library& library, const std::string& name_or_path);

}  // namespace mlosim::predict
