#include "models/explore/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "models/explore/axis_paths.hpp"
#include "models/explore/overlay.hpp"
#include "sim/spec/hardware.hpp"
#include "sim/spec/spelling.hpp"

namespace mlosim::explore {
namespace {

// Whether an axis that sets `path` exchanges what `name` is a part of.
bool exchanges(const std::string& path, const std::string& name) {
  if (path == "system") return spec::is_hardware_path(name);
  if (path == "runtime" || path == "runtime.framework")  // a stack brings its own parameters of the chip's kernels
    return name.starts_with("runtime.") || canonical_path(name).starts_with("chip.");
  return canonical_path(name).starts_with(canonical_path(path) + ".");
}

// What follows "chat." in a name of the workload "chat"; empty where it is none of its names.
std::string_view behind(const std::string& name, const std::string& workload) {
  const bool is_of_it = name.starts_with(workload) && name.size() > workload.size() && name[workload.size()] == '.';
  return is_of_it ? std::string_view(name).substr(workload.size() + 1) : std::string_view();
}

}  // namespace

// A path that some workloads have from elsewhere than the axis or derived path that `takes` is of.
void Names::refuse_ambiguous(const std::string& name, const std::vector<bool>& takes) const {
  for (std::size_t w = 0; w < b_.workloads.size(); ++w) {
    if (takes[w] || (!axis(name, w) && !number_at(b_.workloads[w], name) && !find_metric(name))) continue;
    throw spec::InputError(fmt::format("'{}' is not the same in all workloads", name),
                           fmt::format("name one of them: '{}.{}'", b_.workloads[w].name, name));
  }
}

std::optional<Meaning> Names::axis(const std::string& name, Whose whose) const {
  for (std::size_t a = 0; a < b_.study.axes.size(); ++a) {
    const Axis& axis = b_.study.axes[a];
    if (whose && (axis.is_variable() || !b_.workloads[*whose].takes_axis[a])) continue;
    for (std::size_t c = 0; c < axis.columns(); ++c) {
      const bool is_it = axis.is_variable() ? axis.name == name : canonical_path(axis.paths[c]) == canonical_path(name);
      if (!is_it && !(axis.columns() == 1 && axis.name == name)) continue;
      if (!axis.has_numbers(c)) throw spec::InputError(fmt::format("'{}' has values that are no numbers", name));
      if (!axis.is_variable() && !whose) {
        std::vector<bool> takes;
        for (const BaseWorkload& w : b_.workloads) takes.push_back(w.takes_axis[a]);
        refuse_ambiguous(name, takes);
      }
      return Meaning{.slot = b_.slots.axis[a] + c, .dimension = axis.dimensions[c]};
    }
  }
  return std::nullopt;
}

std::optional<Meaning> Names::derived_path(const std::string& name, Whose whose, std::size_t derived) const {
  for (std::size_t i = 0; i < b_.study.derived.size(); ++i) {
    if (canonical_path(b_.study.derived[i].path) != canonical_path(name)) continue;
    const std::string& workload = b_.study.derived[i].workload;
    if (whose && !workload.empty() && workload != b_.workloads[*whose].name) continue;
    if (i >= derived) throw spec::InputError(fmt::format("'{}' is derived further down", name), "move it up");
    if (whose && !b_.workloads[*whose].takes_derived[i]) continue;
    if (!whose) {
      std::vector<bool> takes;
      for (const BaseWorkload& w : b_.workloads) takes.push_back(w.takes_derived[i]);
      refuse_ambiguous(name, takes);
    }
    return Meaning{.slot = b_.slots.axes + i, .dimension = b_.derived[i].expression.dimension()};
  }
  return std::nullopt;
}

// What no axis sets itself, and one changes all the same.
void Names::refuse_exchanged(const std::string& name, Whose whose) const {
  if (b_.study.search.method == Method::best_parallelism && name.starts_with("parallelism."))
    throw spec::InputError(fmt::format("'{}' follows from the layouts that best_parallelism goes through", name));
  for (std::size_t a = 0; a < b_.study.axes.size(); ++a) {
    for (const std::string& path : b_.study.axes[a].paths) {
      for (std::size_t w = 0; w < b_.workloads.size(); ++w) {
        if ((whose && *whose != w) || !b_.workloads[w].takes_axis[a] || !exchanges(path, name)) continue;
        throw spec::InputError(fmt::format("'{}' changes with the axis '{}'", name, b_.study.axes[a].name),
                               path == "system" || path == "model"
                                   ? std::string("make it a variable")
                                   : fmt::format("give the axis this path: layout: [{{{}: …}}, …]", name));
      }
    }
  }
}

// A number of the spec or the workload that no axis changes, and that all workloads agree on.
std::optional<Meaning> Names::number(const std::string& name, Whose whose) const {
  std::optional<ParsedQuantity> common;
  for (std::size_t w = 0; w < b_.workloads.size(); ++w) {
    if (whose && *whose != w) continue;
    const auto number = number_at(b_.workloads[w], name);
    if (!number) continue;
    if (common && (common->si != number->si || !(common->dimension == number->dimension))) {
      throw spec::InputError(fmt::format("'{}' is not the same in all workloads", name),
                             fmt::format("name one of them: '{}.{}'", b_.workloads[w].name, name));
    }
    common = number;
  }
  if (!common) return std::nullopt;
  return Meaning{.slot = {}, .constant = common->si, .dimension = common->dimension};
}

std::optional<Meaning> Names::meaning(const std::string& name, Whose whose, std::size_t derived,
                                      bool with_metrics) const {
  if (const auto found = axis(name, whose)) return found;
  if (const auto found = derived_path(name, whose, derived)) return found;
  if (const auto metric = with_metrics ? find_metric(name) : std::nullopt) {
    const std::size_t first = whose ? b_.slots.metrics_of(*whose) : b_.slots.own_metrics();
    return Meaning{.slot = first + *metric, .dimension = metrics()[*metric].dimension};
  }
  refuse_exchanged(name, whose);
  return number(name, whose);
}

std::optional<std::size_t> Names::metric(const std::string& name) const {
  if (const auto found = find_metric(name)) return found;
  for (const BaseWorkload& w : b_.workloads) {
    if (const auto found = find_metric(behind(name, w.name))) return found;
  }
  return std::nullopt;
}

std::vector<std::string> Names::known(bool with_metrics) const {
  std::vector<std::string> known = with_metrics ? metric_names() : std::vector<std::string>();
  for (const Axis& axis : b_.study.axes) known.push_back(axis.name);
  for (const BaseWorkload& w : b_.workloads) {
    const std::vector<std::string> paths = known_paths(w);
    known.insert(known.end(), paths.begin(), paths.end());
  }
  return known;
}

Meaning Names::require(const std::string& name, std::size_t derived, bool with_metrics) const {
  if (const auto found = meaning(name, std::nullopt, derived, with_metrics)) return *found;
  for (std::size_t w = 0; w < b_.workloads.size(); ++w) {
    const std::string_view own = behind(name, b_.workloads[w].name);
    const auto found = own.empty() ? std::nullopt : meaning(std::string(own), w, derived, with_metrics);
    if (found) return *found;
  }
  const std::vector<std::string> names = known(with_metrics);
  if (std::find(names.begin(), names.end(), name) != names.end())
    throw spec::InputError(fmt::format("'{}' has no number here", name), "give the workload one, or make it an axis");
  const std::string nearest = spec::nearest_spelling(name, names);
  const std::string metrics_hint =
      with_metrics ? fmt::format("metrics are {}", fmt::join(metric_names(), ", ")) : std::string();
  throw spec::InputError(
      fmt::format("'{}' is no {}axis, variable or number of the spec", name, with_metrics ? "metric, " : ""),
      nearest.empty() ? metrics_hint : fmt::format("did you mean '{}'?", nearest));
}

}  // namespace mlosim::explore
