#include "validate/cuda/measure/selection.hpp"

#include <algorithm>
#include <set>

#include "validate/cuda/measure/schedule.hpp"
#include "validate/cuda/measure/spelling.hpp"
#include "validate/cuda/measure/usage_error.hpp"

namespace mlosim::measure {
namespace {

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void require_known(const char* what, const std::vector<std::string>& asked, const std::vector<std::string>& known) {
  for (const std::string& name : asked)
    if (!holds(known, name))
      throw UsageError("there is no " + std::string(what) + " '" + name + "'", spelling_hint(name, known));
}

bool same_value(const std::string& asked, const std::string& value) {
  if (asked == value) return true;
  try {
    return parse_count(asked) == parse_count(value);
  } catch (const std::invalid_argument&) {
    return false;
  }
}

std::vector<const Case*> chosen_cases(const std::vector<Case>& cases, const Arguments& arguments) {
  std::vector<std::string> names;
  std::vector<std::string> groups;
  for (const Case& one : cases) names.push_back(one.name);
  for (const Group group : all_groups()) groups.emplace_back(to_string(group));
  require_known("group", arguments.groups, groups);
  require_known("case", arguments.cases, names);
  std::vector<const Case*> chosen;
  for (const Case& one : cases) {
    if (!arguments.groups.empty() && !holds(arguments.groups, to_string(one.group))) continue;
    if (!arguments.cases.empty() && !holds(arguments.cases, one.name)) continue;
    chosen.push_back(&one);
  }
  return chosen;
}

void check_axes(const std::vector<const Case*>& cases, const std::vector<AxisFilter>& filters) {
  for (const AxisFilter& filter : filters) {
    std::vector<std::string> axes;
    std::vector<std::string> values;
    for (const Case* one : cases) {
      for (const Axis& axis : one->axes) {
        if (!holds(axes, axis.name)) axes.push_back(axis.name);
        if (axis.name != filter.axis) continue;
        for (const std::string& value : axis.values)
          if (!holds(values, value)) values.push_back(value);
      }
    }
    require_known("axis", {filter.axis}, axes);
    for (const std::string& asked : filter.values)
      if (std::none_of(values.begin(), values.end(), [&](const auto& value) { return same_value(asked, value); }))
        throw UsageError("the axis '" + filter.axis + "' has no value '" + asked + "'", spelling_hint(asked, values));
  }
}

std::vector<std::string> chosen_values(const Axis& axis, const std::vector<AxisFilter>& filters) {
  std::vector<std::string> values = axis.values;
  for (const AxisFilter& filter : filters) {
    if (filter.axis != axis.name) continue;
    const auto unwanted = [&](const std::string& value) {
      return std::none_of(filter.values.begin(), filter.values.end(),
                          [&](const std::string& asked) { return same_value(asked, value); });
    };
    values.erase(std::remove_if(values.begin(), values.end(), unwanted), values.end());
  }
  return values;
}

std::vector<State> states_of(const Case& one, const std::vector<AxisFilter>& filters) {
  std::vector<Coordinates> points(1);
  for (const Axis& axis : one.axes) {
    std::vector<Coordinates> longer;
    for (const auto& point : points) {
      for (const std::string& value : chosen_values(axis, filters)) {
        longer.push_back(point);
        longer.back().emplace_back(axis.name, value);
      }
    }
    points = std::move(longer);
  }
  std::vector<State> states;
  for (auto& point : points) states.emplace_back(std::move(point));
  return states;
}

std::string gibibytes(std::int64_t bytes) {
  return number_cell("", static_cast<double>(bytes) / (1LL << 30), 3).value + " GiB";
}

std::string identity_text(const Cells& identity) {
  std::string text;
  for (const Cell& cell : identity) text += cell.column + '=' + cell.value + '\n';
  return text;
}

}  // namespace

void check_names(const std::vector<Case>& cases, const Arguments& arguments) {
  check_axes(chosen_cases(cases, arguments), arguments.axes);
}

Selection select_works(const std::vector<Case>& cases, const Arguments& arguments, const DeviceFacts& facts) {
  const std::vector<const Case*> chosen = chosen_cases(cases, arguments);
  check_axes(chosen, arguments.axes);
  Selection selection;
  std::set<std::string> seen;
  for (const Case* one : chosen) {
    if (!one->absent.empty()) {
      selection.left_out.push_back({one->name, one->absent});
      continue;
    }
    for (State& state : states_of(*one, arguments.axes)) {
      Planned planned = one->plan(state, facts, arguments.options);
      const std::string name = one->name + " " + state.name();
      if (const Skip* skip = std::get_if<Skip>(&planned)) {
        selection.left_out.push_back({name, skip->reason});
        continue;
      }
      auto& plan = std::get<Plan>(planned);
      if (plan.memory_bytes > facts.memory_bytes) {
        selection.left_out.push_back({name, "needs " + gibibytes(plan.memory_bytes) + " of device memory, " +
                                                gibibytes(facts.memory_bytes) + " are free"});
        continue;
      }
      if (!seen.insert(identity_text(plan.identity)).second) continue;
      const Seconds estimate = estimate_time(plan, arguments.criterion);
      selection.works.push_back({.of = one, .state = std::move(state), .plan = std::move(plan), .estimate = estimate});
    }
  }
  return selection;
}

}  // namespace mlosim::measure
