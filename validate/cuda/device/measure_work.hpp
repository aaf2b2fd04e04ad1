// One state from its bench to its outcome: prepares, checks, times, and tells apart what this GPU cannot do, what went
// wrong, and what leaves the device unusable. Needs the CUDA runtime's header.
#pragma once

#include "validate/cuda/device/bench.hpp"
#include "validate/cuda/measure/campaign.hpp"

namespace mlosim::measure {

// Throws only for a mistake of ours (std::logic_error).
Outcome measure_work(const Work& work, const Gpu& gpu, const Criterion& criterion);

}  // namespace mlosim::measure
