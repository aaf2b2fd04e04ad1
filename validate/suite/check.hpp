// Checks of measured data for `mlosim check`: tables, suites of published figures, measurement protocols.
#pragma once

#include <optional>
#include <string>

#include "sim/spec/library.hpp"

namespace mlosim::suite {

// What the named or given file is ("table of measurements", "suite", "protocol") once it was read without a mistake;
// nothing where it is none of these. Throws spec::InputError with its mistakes.
std::optional<std::string> check(const spec::Library& library, const std::string& name_or_path);

}  // namespace mlosim::suite
