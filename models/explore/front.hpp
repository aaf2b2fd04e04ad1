// Which points no other is better than in everything.
#pragma once

#include <span>
#include <vector>

#include "models/explore/chunk.hpp"

namespace mlosim::explore {

// Whether `a` is no worse than `b` in every objective; of equals the one that came first stays.
bool dominates(std::span<const double> a, std::span<const double> b, const std::vector<BoundObjective>& objectives);

// Indices of the feasible points that none dominates, ascending. Points are in the order of their numbers.
std::vector<std::size_t> find_front(const std::vector<Point>& points, const std::vector<BoundObjective>& objectives);

// Indices of the `count` feasible points that are best in the first objective, best first; of points with the same
// coordinates, which searches and draws come upon again, the first.
std::vector<std::size_t> find_best(const std::vector<Point>& points, const std::vector<BoundObjective>& objectives,
                                   std::size_t count);

// Points that a later, longer list may have on its front or among its best; all others are dropped. The points of each
// run of `group` numbers are looked at by themselves; 0: all are one group.
void keep_survivors(std::vector<Point>& points, const std::vector<BoundObjective>& objectives, std::uint64_t group);

inline constexpr std::size_t kBestKept = 10;

}  // namespace mlosim::explore
