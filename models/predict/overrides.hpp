// What `overrides:` and --set change of a workload, told apart: its own keys, its model, its machine. Decoding a
// workload and the numbers of a study start from it.
#pragma once

#include <vector>

#include "sim/spec/document.hpp"
#include "sim/spec/hardware.hpp"

namespace mlosim::predict {

// What is left to be laid over a workload's machine and its model.
struct Changes {
  std::vector<spec::Override> hardware;
  std::vector<spec::Override> model;  // with the paths below "model."
};

// Lays a change of the workload's own keys over its document, and appends any other to `changes`. Throws
// spec::InputError.
void sort_change(spec::Override change, spec::Value& document, Changes& changes);

// Takes `overrides:` out of a workload's document and sorts each of them. Throws spec::InputError.
Changes take_overrides(spec::Value& document);

}  // namespace mlosim::predict
