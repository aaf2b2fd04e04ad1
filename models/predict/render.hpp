// A prediction as text. The names of fields are those of interfaces.md; numbers in JSON and CSV are in SI base units.
#pragma once

#include <string>

#include "models/predict/predict.hpp"

namespace mlosim::predict {

// What the run of mlosim itself took; of the JSON document's "mlosim" member.
struct RunFacts {
  std::string version;
  double seconds = 0;  // wall time
};

// A table for people. It says in words where the workload does not fit and what to change.
std::string render_text(const Prediction& prediction);
// What is missing and what to change, for a plan that does not fit; one sentence or two.
std::string render_shortfall(const plan::MemoryPlan& memory);
// What the bound on events left out of the play of kernels; empty where every kernel was played in full.
std::string render_coarseness(const Prediction& prediction);
// One JSON document.
std::string render_json(const Prediction& prediction, const RunFacts& run);
// A header, a row for the whole workload (name "total"), and one for each operator.
std::string render_csv(const Prediction& prediction);

}  // namespace mlosim::predict
