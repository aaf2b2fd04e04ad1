// The axes of a study as the variables of a search that makes its own points (nsga2): continuous ones first, then
// indices of choices. Axes of one value are no variables.
#pragma once

#include <span>
#include <vector>

#include "models/explore/evolution.hpp"
#include "models/explore/study.hpp"

namespace mlosim::explore {

class SearchVariables {
 public:
  // The study outlives this.
  explicit SearchVariables(const Study& study);

  std::size_t size() const { return axes_.size(); }
  // The search of the study's method over them.
  Evolution evolution() const;
  // The coordinates of an individual: one an axis of the study.
  std::vector<double> coordinates(std::span<const double> individual) const;

 private:
  const Study& study_;
  std::vector<std::size_t> axes_;  // of each variable
};

}  // namespace mlosim::explore
