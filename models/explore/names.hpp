// What the names in a study's expressions mean: axes, variables, derived paths, metrics, numbers of the spec.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "models/explore/blueprint.hpp"
#include "models/explore/expression.hpp"

namespace mlosim::explore {

class Names {
 public:
  // The slots of `blueprint`, which outlives this, are assigned.
  explicit Names(const Blueprint& blueprint) : b_(blueprint) {}

  // Throws spec::InputError, with the nearest name, for one that means nothing. Of the derived paths the first
  // `derived` may be taken; metrics only where there are some.
  Meaning require(const std::string& name, std::size_t derived, bool with_metrics) const;

 private:
  std::optional<Meaning> axis(const std::string& name, std::size_t derived) const;
  std::optional<Meaning> number(const std::string& name) const;
  bool exchanges_system() const;

  const Blueprint& b_;
};

}  // namespace mlosim::explore
