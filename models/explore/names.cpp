#include "models/explore/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "models/explore/axis_paths.hpp"
#include "models/explore/overlay.hpp"
#include "sim/spec/hardware.hpp"
#include "sim/spec/spelling.hpp"

namespace mlosim::explore {

bool Names::exchanges_system() const {
  return std::any_of(b_.study.axes.begin(), b_.study.axes.end(), [](const Axis& axis) {
    return std::find(axis.paths.begin(), axis.paths.end(), "system") != axis.paths.end();
  });
}

// An axis, or a derived path among the first `derived`.
std::optional<Meaning> Names::axis(const std::string& name, std::size_t derived) const {
  for (std::size_t a = 0; a < b_.study.axes.size(); ++a) {
    const Axis& axis = b_.study.axes[a];
    for (std::size_t c = 0; c < axis.columns(); ++c) {
      const bool is_it = axis.is_variable() ? axis.name == name : canonical_path(axis.paths[c]) == canonical_path(name);
      if (!is_it && !(axis.columns() == 1 && axis.name == name)) continue;
      if (!axis.has_numbers(c)) throw spec::InputError(fmt::format("'{}' has values that are no numbers", name));
      return Meaning{.slot = b_.slots.axis[a] + c, .dimension = axis.dimensions[c]};
    }
  }
  for (std::size_t i = 0; i < b_.derived.size() && i < derived; ++i) {
    if (canonical_path(b_.derived[i].path) == canonical_path(name))
      return Meaning{.slot = b_.slots.axes + i, .dimension = b_.derived[i].expression.dimension()};
  }
  for (std::size_t i = derived; i < b_.study.derived.size(); ++i) {
    if (canonical_path(b_.study.derived[i].path) == canonical_path(name))
      throw spec::InputError(fmt::format("'{}' is derived further down", name), "move it up");
  }
  return std::nullopt;
}

// A number of the spec or the workload that no axis changes, and that all workloads agree on.
std::optional<Meaning> Names::number(const std::string& name) const {
  std::optional<ParsedQuantity> common;
  for (const BaseWorkload& w : b_.workloads) {
    const auto number = number_at(w, name);
    if (!number) continue;
    if (common && (common->si != number->si || !(common->dimension == number->dimension)))
      throw spec::InputError(fmt::format("'{}' is not the same in all workloads", name), "make it a variable");
    common = number;
  }
  if (!common) return std::nullopt;
  if (exchanges_system() && spec::is_hardware_path(name))
    throw spec::InputError(fmt::format("'{}' changes with the axis 'system'", name), "make it a variable");
  return Meaning{.slot = {}, .constant = common->si, .dimension = common->dimension};
}

Meaning Names::require(const std::string& name, std::size_t derived, bool with_metrics) const {
  if (const auto found = axis(name, derived)) return *found;
  if (with_metrics) {
    if (const auto metric = find_metric(name))
      return {.slot = b_.slots.own_metrics() + *metric, .dimension = metrics()[*metric].dimension};
    for (std::size_t w = 0; w < b_.workloads.size(); ++w) {
      const std::string head = b_.workloads[w].name + ".";
      const auto metric =
          name.starts_with(head) ? find_metric(std::string_view(name).substr(head.size())) : std::nullopt;
      if (metric) return {.slot = b_.slots.metrics_of(w) + *metric, .dimension = metrics()[*metric].dimension};
    }
  }
  if (const auto found = number(name)) return *found;
  std::vector<std::string> known = with_metrics ? metric_names() : std::vector<std::string>();
  for (const Axis& axis : b_.study.axes) known.push_back(axis.name);
  for (const BaseWorkload& w : b_.workloads) {
    const std::vector<std::string> paths = known_paths(w);
    known.insert(known.end(), paths.begin(), paths.end());
  }
  const std::string nearest = spec::nearest_spelling(name, known);
  const std::string metrics_hint =
      with_metrics ? fmt::format("metrics are {}", fmt::join(metric_names(), ", ")) : std::string();
  throw spec::InputError(
      fmt::format("'{}' is no {}axis, variable or number of the spec", name, with_metrics ? "metric, " : ""),
      nearest.empty() ? metrics_hint : fmt::format("did you mean '{}'?", nearest));
}

}  // namespace mlosim::explore
