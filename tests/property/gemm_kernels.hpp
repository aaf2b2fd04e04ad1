// All GEMM kernels of a chip, whatever their format: what a property that changes or bounds them has to visit.
#pragma once

#include <algorithm>
#include <vector>

#include "sim/spec/chip_spec.hpp"

namespace mlosim {

inline std::vector<spec::GemmParameters*> gemm_kernels(spec::ChipSpec& chip) {
  std::vector<spec::GemmParameters*> all{&chip.gemm.standard};
  for (auto& [format, kernels] : chip.gemm.formats) all.push_back(&kernels);
  for (auto& [format, kernels] : chip.gemm.weights_only) all.push_back(&kernels);
  return all;
}

// How much a split plan must win by at most.
inline Seconds largest_split_preference(spec::ChipSpec chip) {
  Seconds largest;
  for (const spec::GemmParameters* kernels : gemm_kernels(chip)) largest = std::max(largest, kernels->split_preference);
  return largest;
}

}  // namespace mlosim
