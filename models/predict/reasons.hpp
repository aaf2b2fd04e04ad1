// Why one machine is faster than another on a workload: the numbers of the first are exchanged for the second's, a
// group at a time, and the workload is priced again (closed forms) after each. What a group is worth depends on what
// was exchanged before it: the mean of the order below and its reverse is taken, so that the shares add up to all of
// the difference. A group that makes no machine by itself is counted with the next.
#pragma once

#include <string>
#include <vector>

#include "models/predict/setting.hpp"
#include "models/predict/workload.hpp"
#include "sim/chip/kernel.hpp"

namespace mlosim::predict {

struct Reason {
  std::string what;      // "memory bandwidth"
  std::string from, to;  // the number in it that says most; empty where none does
  double factor = 1;     // of the speed: above 1 makes the second faster
};

// A number that two machines do not share; empty where one has none.
struct Difference {
  std::string parameter;
  std::string from, to;
};

// What makes `other` run its workload at another speed than `base` runs its own: largest first, those below 0.1 %
// left out. The factors multiply to the ratio of the two times.
std::vector<Reason> find_reasons(const Workload& base_workload, const Setting& base, const Workload& other_workload,
                                 const Setting& other, chip::Fidelity fidelity);

// By path.
std::vector<Difference> find_differences(const spec::ProvenanceTable& base, const spec::ProvenanceTable& other);

}  // namespace mlosim::predict
