#include "models/predict/setting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "models/predict/evaluate.hpp"

namespace mlosim::predict {
namespace {

// What is asked to be overlapped by a stack that hides nothing of it.
void warn_of_idle_overlap(const Training& training, const spec::RuntimeSpec& runtime,
                          std::vector<std::string>& warnings) {
  const OverlapChoice& asked = training.overlap;
  const auto warn = [&](std::string_view key) {
    warnings.push_back(fmt::format(
        "runtime '{}' hides nothing of it (runtime.training.exposed): overlap.{} has no effect", runtime.name, key));
  };
  if (asked.tp.value_or(false) && runtime.training->tp_exposed == 1) warn("tp");
  if (asked.grad_reduce.value_or(false) && runtime.training->dp_exposed == 1) warn("grad_reduce");
  if (asked.param_gather.value_or(false) && runtime.training->dp_exposed == 1) warn("param_gather");
}

}  // namespace

spec::HardwareDocuments read_machine(const spec::Library& library, const Workload& workload,
                                     std::vector<std::string>& warnings) {
  return spec::read_hardware(library, workload.system,
                             {.name = workload.runtime.profile, .trains = workload.task == Task::train}, warnings);
}

Setting read_setting(const spec::Library& library, const Workload& workload, std::vector<std::string>& warnings) {
  return make_setting(read_machine(library, workload, warnings), workload, warnings);
}

Setting make_setting(spec::HardwareDocuments documents, const Workload& workload, std::vector<std::string>& warnings) {
  Setting s;
  s.documents = std::move(documents);
  for (const spec::Override& change : workload.overrides) spec::apply_override(s.documents, change);
  s.hardware = spec::require_hardware(s.documents, warnings);
  s.hardware.is_hypothetical =
      std::any_of(workload.overrides.begin(), workload.overrides.end(),
                  [](const spec::Override& change) { return spec::changes_machine(change.path); });
  s.hardware.runtime = resolve_runtime(s.hardware.runtime, workload.runtime);
  if (workload.training) warn_of_idle_overlap(*workload.training, s.hardware.runtime, warnings);
  check_against_machine(workload, s.hardware.system);
  if (workload.model)
    s.precision = resolve_precision(workload.precision, *workload.model, s.hardware.system.chip, warnings);
  return s;
}

}  // namespace mlosim::predict
