// How many copies of its data a case goes round, so that each launch finds its data outside the L2. No CUDA.
#pragma once

#include <cstdint>

#include "validate/cuda/measure/device_facts.hpp"

namespace mlosim::measure {

// As many copies of `bytes` as make twice the L2, between 1 and `most`. Small data therefore stay in the L2: a graph of
// hundreds of thousands of nodes is no measurement of anything that is run.
std::int64_t copies_past_l2(std::int64_t bytes, const DeviceFacts& facts, std::int64_t most = 512);

}  // namespace mlosim::measure
