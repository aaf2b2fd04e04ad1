#include "models/explore/point_parts.hpp"

#include <algorithm>
#include <string_view>

#include "models/explore/axis_paths.hpp"
#include "models/explore/overlay.hpp"
#include "models/explore/workload_key.hpp"
#include "sim/spec/hardware.hpp"

namespace mlosim::explore {
namespace {

bool is_below(std::string_view path, std::string_view head) {
  return path.starts_with(head) && (path.size() == head.size() || path[head.size()] == '.');
}

// Whether one of two paths is laid over what the other sets.
bool meet(std::string_view a, std::string_view b) { return is_below(a, b) || is_below(b, a); }

std::vector<std::string> machine_paths(const Blueprint& b, const BaseWorkload& w) {
  std::vector<std::string> paths;
  const auto add = [&](const std::string& path) {
    if (is_of_machine(path)) paths.push_back(canonical_path(path));
  };
  for (std::size_t a = 0; a < b.study.axes.size(); ++a) {
    if (w.takes_axis[a]) std::for_each(b.study.axes[a].paths.begin(), b.study.axes[a].paths.end(), add);
  }
  for (std::size_t i = 0; i < b.derived.size(); ++i) {
    if (w.takes_derived[i]) add(b.derived[i].path);
  }
  return paths;
}

}  // namespace

bool is_of_machine(const std::string& path) { return spec::is_hardware_path(path) && !is_workload_path(path); }

bool PointPart::moves(std::span<const double> at, std::span<const double> values, std::vector<double>& last) const {
  bool moves = last.size() != axes.size() + slots.size();
  last.resize(axes.size() + slots.size());
  auto known = last.begin();
  const auto compare = [&](double x) {
    moves |= *known != x;
    *known++ = x;
  };
  for (const std::size_t a : axes) compare(at[a]);
  for (const std::size_t s : slots) compare(values[s]);
  return moves;
}

PointParts split_point(const Blueprint& b, std::size_t workload, std::size_t axes) {
  const BaseWorkload& w = b.workloads[workload];
  const std::vector<std::string> machine = machine_paths(b, w);
  const auto is_number = [&](const std::string& path) {
    if (!is_of_machine(path) || !number_at(w, path)) return false;
    const auto meets = [&](const std::string& other) { return meet(other, canonical_path(path)); };
    return std::count_if(machine.begin(), machine.end(), meets) == 1;  // itself
  };
  const auto has_scalars = [](const Axis& axis, std::size_t column) {
    return axis.has_numbers(column) && std::all_of(axis.choices.begin(), axis.choices.end(), [&](const Choice& choice) {
             return choice.values[column].is_scalar();
           });
  };
  PointParts parts;
  std::size_t position = 0;
  const auto add = [&](const std::string& path, bool has_number, std::size_t index,
                       std::vector<std::size_t> PointPart::*where) {
    PointPart* part = &parts.run;
    if (has_number && is_number(path)) {
      part = &parts.numbers;
      parts.positions.push_back(position);
      parts.paths.push_back(canonical_path(path));
    } else if (changes_setting(path)) {
      part = &parts.machine;
    }
    ++position;
    if (((*part).*where).empty() || ((*part).*where).back() != index) ((*part).*where).push_back(index);
  };
  for (std::size_t a = 0; a < b.study.axes.size(); ++a) {
    if (!w.takes_axis[a]) continue;
    const Axis& axis = b.study.axes[a];
    if (a >= axes) {
      position += axis.paths.size();
      continue;
    }
    for (std::size_t c = 0; c < axis.paths.size(); ++c) add(axis.paths[c], has_scalars(axis, c), a, &PointPart::axes);
  }
  for (std::size_t i = 0; i < b.derived.size(); ++i) {
    if (w.takes_derived[i]) add(b.derived[i].path, true, b.slots.axes + i, &PointPart::slots);
  }
  return parts;
}

}  // namespace mlosim::explore
