// What `mlosim check` does with a study.
#pragma once

#include <optional>
#include <string>

#include "models/predict/check.hpp"
#include "sim/spec/library.hpp"

namespace mlosim::explore {

// What the named or given file is once it was read without a mistake; nothing where it is no study. Throws
// spec::InputError with all mistakes.
std::optional<predict::Checked> check(const spec::Library& library, const std::string& name_or_path);

}  // namespace mlosim::explore
