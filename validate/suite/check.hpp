// Checks of measured data for `mlosim check`: tables, suites of published figures, measurement protocols.
#pragma once

#include <optional>
#include <string>

#include "models/predict/check.hpp"
#include "sim/spec/library.hpp"

namespace mlosim::suite {

// What the named or given file is ("table of measurements …", "suite …", "measurement protocol") once it was read
// without a mistake; nothing where it is none of these. The workloads of a suite are read to the end; a task that is
// not modelled yet is no mistake of theirs. Throws spec::InputError with all mistakes.
std::optional<predict::Checked> check(const spec::Library& library, const std::string& name_or_path);

}  // namespace mlosim::suite
