// What the names in a study's expressions mean: axes, variables, derived paths, metrics, numbers of the spec. A name
// may begin with a workload's: "chat.tpot_s", "chat.inference.batch". One that does not, and that is not the same in
// all workloads, is refused, and so is one whose value an axis exchanges with what is around it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

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

  // Index in metrics() of what a name alone means, of all workloads or of one.
  std::optional<std::size_t> metric(const std::string& name) const;

 private:
  // Of one workload; none: of all.
  using Whose = std::optional<std::size_t>;

  std::optional<Meaning> meaning(const std::string& name, Whose whose, std::size_t derived, bool with_metrics) const;
  std::optional<Meaning> axis(const std::string& name, Whose whose) const;
  std::optional<Meaning> derived_path(const std::string& name, Whose whose, std::size_t derived) const;
  std::optional<Meaning> number(const std::string& name, Whose whose) const;
  void refuse_exchanged(const std::string& name, Whose whose) const;
  void refuse_ambiguous(const std::string& name, const std::vector<bool>& takes) const;
  std::vector<std::string> known(bool with_metrics) const;

  const Blueprint& b_;
};

}  // namespace mlosim::explore
