// Workloads as property tests run them: written as YAML, read as the command line reads them, evaluated in this
// process.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/predict/evaluate.hpp"
#include "models/predict/predict.hpp"
#include "models/predict/workload.hpp"
#include "tests/property/machines.hpp"

namespace mlosim::property {

// A workload with its machine, ready to be evaluated on other machines too.
struct Scenario {
  predict::Workload workload;
  spec::HardwareDocuments documents;
  spec::Hardware hardware;
  graph::Precision precision;

  predict::Evaluation evaluate(const spec::Hardware& machine,
                               chip::Fidelity fidelity = chip::Fidelity::analytic) const {
    return predict::evaluate(workload, precision, machine, {.fidelity = fidelity});
  }
  predict::Evaluation evaluate() const { return evaluate(hardware); }
  // Decodes changed documents, with the workload's own choice of runtime fields.
  spec::Hardware decode_changed(const spec::HardwareDocuments& changed) const {
    spec::Hardware other = decode(changed);
    other.runtime = predict::resolve_runtime(other.runtime, workload.runtime);
    return other;
  }
};

// Throws spec::InputError.
inline Scenario scenario_of(const std::string& name_or_path) {
  std::vector<std::string> warnings;
  Scenario s;
  s.workload = predict::read_workload(built_in(), name_or_path, {}, warnings);
  s.documents =
      spec::read_hardware(built_in(), s.workload.system,
                          {.name = s.workload.runtime.profile, .trains = s.workload.training.has_value()}, warnings);
  for (const spec::Override& change : s.workload.overrides) spec::apply_override(s.documents, change);
  s.hardware = s.decode_changed(s.documents);
  predict::check_against_machine(s.workload, s.hardware.system);
  if (s.workload.model)
    s.precision = predict::resolve_precision(s.workload.precision, *s.workload.model, s.hardware.system.chip, warnings);
  return s;
}

// The same from YAML text.
inline Scenario scenario_of_text(const std::string& yaml) {
  const support::TemporaryDirectory folder;
  const std::string path = (folder.path() / "workload.yaml").string();
  support::write_text(path, yaml);
  return scenario_of(path);
}

inline std::vector<std::string> workload_names() { return built_in().names(spec::Shelf::workloads); }

// A network task; `more` are further lines.
inline std::string network(const std::string& model, const std::string& task, const std::string& system,
                           const std::string& inference, const std::string& more = "") {
  return "schema: mlosim/workload/1\nname: w\nmodel: " + model + "\ntask: " + task + "\nsystem: " + system +
         "\ninference: {" + inference + "}\n" + more;
}

}  // namespace mlosim::property
