#include "models/predict/setting.hpp"

#include <algorithm>

#include "models/predict/evaluate.hpp"

namespace mlosim::predict {

Setting read_setting(const spec::Library& library, const Workload& workload, std::vector<std::string>& warnings) {
  Setting s;
  s.documents = spec::read_hardware(
      library, workload.system, {.name = workload.runtime.profile, .trains = workload.task == Task::train}, warnings);
  for (const spec::Override& change : workload.overrides) spec::apply_override(s.documents, change);
  s.hardware = spec::require_hardware(s.documents, warnings);
  s.hardware.is_hypothetical =
      std::any_of(workload.overrides.begin(), workload.overrides.end(),
                  [](const spec::Override& change) { return spec::changes_machine(change.path); });
  s.hardware.runtime = resolve_runtime(s.hardware.runtime, workload.runtime);
  check_against_machine(workload, s.hardware.system);
  if (workload.model)
    s.precision = resolve_precision(workload.precision, *workload.model, s.hardware.system.chip, warnings);
  return s;
}

}  // namespace mlosim::predict
