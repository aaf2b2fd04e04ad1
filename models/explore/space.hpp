// The points of a study by their number. A point is one coordinate an axis: the index of a choice, or the value on a
// continuous one; no list of points is ever made.
//
// grid, best_parallelism: mixed radix, the last axis fastest. random: each coordinate drawn from (seed, point, axis)
// alone. latin_hypercube: each axis cut into as many strata as there are points, one point in each.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/explore/blueprint.hpp"

namespace mlosim::explore {

class Space {
 public:
  // Throws spec::InputError where there are more points than can be counted. `blueprint` outlives the space.
  explicit Space(const Blueprint& blueprint);

  // Numbers of points below this are points; of nsga2, which makes its own, as many as it will.
  std::uint64_t size() const { return size_; }
  // Fills one coordinate an axis. Not of nsga2.
  void locate(std::uint64_t point, std::span<double> at) const;
  // best_parallelism: how many neighbouring points are layouts of one design.
  std::uint64_t layouts() const { return layouts_; }
  // Whether neighbours differ in their last axes alone.
  bool is_grid() const { return !stride_.empty(); }
  // Of a grid: the first point after `point` that has another value on axis `axis` or on a slower one.
  std::uint64_t next_after(std::uint64_t point, std::size_t axis) const;

 private:
  double coordinate(const Axis& axis, double share) const;

  const Blueprint& blueprint_;
  std::uint64_t size_ = 1, layouts_ = 1;
  std::vector<std::uint64_t> stride_;               // grid: points between neighbours of an axis
  std::vector<std::vector<std::uint32_t>> strata_;  // latin_hypercube: of each axis and point
};

// The numbers that expressions take of a point: axes and derived paths, in `slots`.
void fill_slots(const Blueprint& blueprint, std::span<const double> at, std::span<double> slots);

// What the axes and derived paths set, as it is laid over workload `workload`.
std::vector<spec::Override> settings_of(const Blueprint& blueprint, std::size_t workload, std::span<const double> at,
                                        std::span<const double> slots);

// How a coordinate is shown: "4 TB/s", "{…}".
std::string label_of(const Axis& axis, double coordinate);

}  // namespace mlosim::explore
