// The nearest valid spelling of a wrong name, for hints.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mlosim::spec {

// The candidate with the smallest edit distance (transpositions count one), the first among equals; empty where none is
// near enough to be a slip of the pen (more than a third of the letters differ).
std::string nearest_spelling(std::string_view word, const std::vector<std::string>& candidates);

// "did you mean 'x'?" or, where nothing is near, "one of: a, b, c" (at most twelve).
std::string spelling_hint(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace mlosim::spec
