// What of a point a workload's run follows from, what its machine, and what no more than numbers of that machine:
// points that differ in one of them have the others in common.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "models/explore/blueprint.hpp"

namespace mlosim::explore {

struct PointPart {
  std::vector<std::size_t> axes, slots;  // coordinates, and numbers of derived paths

  // Whether the point's are others than `last`, which then are the point's.
  bool moves(std::span<const double> at, std::span<const double> values, std::vector<double>& last) const;
};

struct PointParts {
  PointPart run, machine, numbers;
  std::vector<std::size_t> positions;  // of the machine's numbers among settings_of
  std::vector<std::string> paths;      // of each, canonical
};

// `axes`: only the first so many are looked at.
PointParts split_point(const Blueprint& blueprint, std::size_t workload, std::size_t axes);

// Whether a setting is laid over the machine alone.
bool is_of_machine(const std::string& path);

}  // namespace mlosim::explore
