// What failed and slow links cost a collective: all groups of its kind are played on the whole network and on one
// without the faults, step by step, and the slowest group counts.
#pragma once

#include <string>

#include "sim/spec/system_spec.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

struct FaultCost {
  Seconds time;            // more than without the faults, of the network alone
  std::string bottleneck;  // the link that was busy longest; empty where the faults cost nothing
};

// Requires: a system with faults. Rings inside nodes and between them; all-to-alls of at most 64 ranks directly, larger
// ones as rings too. Throws InputError where a fault names no link or cuts chips off.
FaultCost cost_of_faults(const work::Collective& collective, const spec::SystemSpec& system);

}  // namespace mlosim::net
