// Loads of a sustained run besides matrix products. Host side only: no CUDA.
#pragma once

#include <cstdint>
#include <string_view>

namespace mlosim::measure {

enum class SustainedLoad { idle, triad, fma };

// Of each of the three arrays of memory.stream's triad: far beyond any L2.
inline constexpr std::int64_t kTriadBytes = 1LL << 30;

const char* to_string(SustainedLoad load);
// The spelling of to_string; another one is a mistake of ours: std::logic_error.
SustainedLoad sustained_load_of(std::string_view name);

}  // namespace mlosim::measure
