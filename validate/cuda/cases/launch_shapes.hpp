// Sizes that both halves of the launch cases go by. No CUDA.
#pragma once

#include <cstdint>

namespace mlosim::measure {

constexpr int kLaunchBatch = 64;                    // kernels in one launch of the bench
constexpr int kLaunchStreams = 8;                   // that independent kernels are spread over
constexpr std::int64_t kSmallBytesPerBlock = 4096;  // a small kernel adds one to these, with one block on each SM

}  // namespace mlosim::measure
