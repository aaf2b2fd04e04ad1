// A runtime's document without what it says of other families of chips: their kernels are most of its text and reading
// them most of a prediction's. Internal to sim/spec; `mlosim check` and `show` read the whole document.
#pragma once

#include <string>
#include <string_view>

#include "sim/spec/document.hpp"

namespace mlosim::spec {

// As read_document, with `families:` reduced to that of `family`. Mistakes in the others are not found, unless the file
// is not laid out in plain blocks, two words of indentation and key by key: then all of it is read. Throws InputError.
Value read_runtime_document(const std::string& path, std::string_view family);

}  // namespace mlosim::spec
