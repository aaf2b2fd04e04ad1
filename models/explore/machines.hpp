// Every machine that a study can run a workload on: those that its axes name, with every software stack of theirs.
#pragma once

#include <string>
#include <vector>

#include "models/explore/blueprint.hpp"

namespace mlosim::explore {

struct MachineOfStudy {
  std::string system, stack;  // as they are asked for
  spec::HardwareDocuments documents;
  std::string refusal;  // why the stack of an axis does not run there; another one would be taken for it
};

// Throws spec::InputError for what cannot be read.
std::vector<MachineOfStudy> read_machines(const Blueprint& blueprint, const BaseWorkload& workload);

// The values of the axes that set `path`, alone or with others, and that the workload takes.
std::vector<const spec::Value*> values_at(const Blueprint& blueprint, const BaseWorkload& workload,
                                          std::string_view path);

}  // namespace mlosim::explore
