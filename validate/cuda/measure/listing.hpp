// What --list and --dry-run print. Host side only: no CUDA.
#pragma once

#include <string>
#include <vector>

#include "validate/cuda/measure/selection.hpp"

namespace mlosim::measure {

// Every case under its group: what it is, its axes, why this build lacks it.
std::string render_list(const std::vector<Case>& cases);

// One line a state in the order of the run with its estimated time, then what is left out and why, then the sums:
//
//      1  memory.stream op=copy bytes=4096      0.08 s
std::string render_plan(const DeviceFacts& facts, const std::vector<Work>& works, const std::vector<LeftOut>& left_out,
                        std::size_t beyond_budget);

// "85 s", "12 min", "3.4 h"
std::string render_time(Seconds time);

}  // namespace mlosim::measure
