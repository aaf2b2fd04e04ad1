// A workload's machine: its documents with the user's changes, decoded, checked against the workload, and the formats
// that the run takes on it. Predicting and checking start here.
#pragma once

#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/predict/workload.hpp"
#include "sim/spec/hardware.hpp"
#include "sim/spec/library.hpp"

namespace mlosim::predict {

struct Setting {
  spec::HardwareDocuments documents;
  spec::Hardware hardware;     // with the workload's own runtime fields
  graph::Precision precision;  // of a network
};

// Throws spec::InputError; warnings are appended.
Setting read_setting(const spec::Library& library, const Workload& workload, std::vector<std::string>& warnings);

// The documents of a workload's machine, before its overrides.
spec::HardwareDocuments read_machine(const spec::Library& library, const Workload& workload,
                                     std::vector<std::string>& warnings);
// The same as read_setting from documents that have been read (read_machine) already.
Setting make_setting(spec::HardwareDocuments documents, const Workload& workload, std::vector<std::string>& warnings);

}  // namespace mlosim::predict
