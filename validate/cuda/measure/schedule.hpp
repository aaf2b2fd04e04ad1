// In which order states are measured, and how many of them fit a budget. Any beginning of the order is balanced: groups
// get equal time in turn, so do the cases of a group, and the states of a case are taken by a stride that visits its
// axes evenly. Deterministic. Host side only: no CUDA.
#pragma once

#include <cstdint>
#include <vector>

#include "validate/cuda/measure/selection.hpp"

namespace mlosim::measure {

// What a state will take from allocation to its row.
Seconds estimate_time(const Plan& plan, const Criterion& criterion);

// Of works in the order of `select_works`. Next is always the group that has had the least time, within it the case
// that has had the least (the earlier one among equals), within that the state (start + i * stride) mod n, with the
// stride near n divided by the golden ratio and coprime to n; the seed chooses the start.
std::vector<Work> balanced_order(std::vector<Work> works, std::uint64_t seed);

// Takes each work in order that still fits; what is too long for the rest of the budget is left out.
std::vector<Work> within_budget(std::vector<Work> works, Seconds budget);

Seconds total_estimate(const std::vector<Work>& works);

}  // namespace mlosim::measure
