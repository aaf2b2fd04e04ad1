// The nearest valid spelling of a wrong name, for hints. Host side only: no CUDA.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mlosim::measure {

// "did you mean 'x'?" or, where nothing is near, "one of: a, b, c" (at most twelve); empty without candidates.
std::string spelling_hint(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace mlosim::measure
