// How fast tasks that share a chip advance: dominant-resource fairness, the max-min fairness of several resources.
//
// A task that needs shares d of the resources and runs at speed s takes s·d of them. Speeds are the largest for which
// no resource is taken by more than all of it, raised together by each task's largest share of what there is too little
// of: who needs little of it gets all that he needs, equal tasks get equal speeds, and a task stays below full speed
// only where a resource that it needs is taken entirely. Any order of the tasks gives the same speeds, to the last bit.
//
// Source: Ghodsi et al., Dominant Resource Fairness, NSDI 2011. Not in here: that CTAs of the kernel that was launched
// first go first (sim/chip/concurrent.hpp plays that); over the whole of two kernels both come to the same.
#pragma once

#include <vector>

#include "sim/chip/kernel.hpp"

namespace mlosim::machine {

// One speed a task, each in (0, 1]. Requires: shares in [0, 1].
std::vector<double> fair_speeds(const std::vector<chip::ChipUse>& uses);

}  // namespace mlosim::machine
