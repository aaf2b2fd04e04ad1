// Kernels of several streams beside each other on one GPU, played tile by tile: who gets units, caches and memory when,
// and by how much each slows the others down. sim/machine plays whole programs by shares of the chip instead.
//
// Kernels of a stream run one after another. What is priced in closed form, and a collective, is a grid that keeps its
// own pace (sim/tile/paced_grid.hpp). Where a kernel alone is under the power cap, its units run at that lower clock
// here too; that several kernels together draw more power than each is not in here.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "sim/chip/kernel.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::chip {

// A kernel that waits for the network: it holds a unit for each of its CTAs all the time.
struct PacedByNetwork {
  Seconds time;
  Seconds links{};  // part of it that its bytes take on the chip's links
  std::int64_t ctas = 1;
  Bytes device_bytes, cache_bytes;
};

using ConcurrentKernel = std::variant<work::Operator, PacedByNetwork>;

struct ConcurrentRun {
  Seconds start, end;  // launch included
  Seconds alone;       // how long the same kernel takes alone, played in the same way

  double slow_down() const { return (end - start) / alone; }
};

struct PlayedTogether {
  std::vector<std::vector<ConcurrentRun>> runs;  // as the streams
  Seconds makespan;
  std::uint64_t events = 0;
};

// Requires: a GPU; no operator is a collective. Throws as price_kernel.
PlayedTogether play_together(const std::vector<std::vector<ConcurrentKernel>>& streams, const KernelContext& context);

}  // namespace mlosim::chip
