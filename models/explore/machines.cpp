#include "models/explore/machines.hpp"

#include <string_view>

#include "models/predict/setting.hpp"

namespace mlosim::explore {

std::vector<const spec::Value*> values_at(const Blueprint& b, const BaseWorkload& w, std::string_view path) {
  std::vector<const spec::Value*> values;
  for (std::size_t a = 0; a < b.study.axes.size(); ++a) {
    const Axis& axis = b.study.axes[a];
    for (std::size_t c = 0; w.takes_axis[a] && c < axis.paths.size(); ++c) {
      if (axis.paths[c] != path) continue;
      for (const Choice& choice : axis.choices) values.push_back(&choice.values[c]);
    }
  }
  return values;
}

std::vector<MachineOfStudy> read_machines(const Blueprint& b, const BaseWorkload& w) {
  std::vector<std::string> systems{w.decoded.system}, stacks{w.decoded.runtime.profile};
  for (const spec::Value* system : values_at(b, w, "system")) systems.push_back(system->text);
  for (const std::string_view path : {"runtime", "runtime.framework"}) {
    for (const spec::Value* stack : values_at(b, w, path)) {
      const spec::Value* name = stack->is_mapping() ? stack->find("framework") : stack;
      if (name && name->is_scalar()) stacks.push_back(name->text);
    }
  }
  std::vector<MachineOfStudy> machines;
  predict::Workload workload = w.decoded;
  for (const std::string& system : systems) {
    for (const std::string& stack : stacks) {
      workload.system = system;
      workload.runtime.profile = stack;
      std::vector<std::string> said;
      MachineOfStudy& machine = machines.emplace_back();
      machine = {system, stack, predict::read_machine(*b.library, workload, said), {}};
      const bool is_of_an_axis = stack != w.decoded.runtime.profile;  // of the workload's own there is a warning
      if (is_of_an_axis && !said.empty()) machine.refusal = said.front().substr(0, said.front().find("; taking"));
    }
  }
  return machines;
}

}  // namespace mlosim::explore
