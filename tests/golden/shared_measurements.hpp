// The score of the shared measurements, computed once for all tests of this binary. The tables lie beside the
// repository and are no part of it; where they are missing the tests that need them skip.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "validate/compare/validate.hpp"

namespace mlosim::golden {

// The tables' paths, sorted; none where the folder is missing.
std::vector<std::string> shared_tables();

// The half of their shapes that parameters were not fitted on, by device, operator and format. Not for an empty list
// of tables.
const compare::Validation& shared_score();

// The text of a Markdown file between the lines "<!-- NAME: begin … -->" and "<!-- NAME: end -->".
std::string marked_text(const std::filesystem::path& file, const std::string& name);

// Fails the test where the marked text is not `expected`; with MLOSIM_REGENERATE=1 in the environment writes it there
// instead.
void expect_marked_text(const std::filesystem::path& file, const std::string& name, const std::string& expected);

}  // namespace mlosim::golden
