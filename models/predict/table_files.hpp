// Files of hw_specs that every prediction starts from, below a root of the library. Whoever stores predictions tells by
// them whether they still hold.
#pragma once

#include <array>
#include <string_view>

namespace mlosim::predict {

inline constexpr std::string_view kEconomicsFile = "hw_specs/economics.yaml";
inline constexpr std::string_view kResidualsFile = "hw_specs/residuals.yaml";
inline constexpr std::string_view kSiliconFile = "hw_specs/silicon.yaml";
inline constexpr std::array kTableFiles{kEconomicsFile, kResidualsFile, kSiliconFile};

}  // namespace mlosim::predict
