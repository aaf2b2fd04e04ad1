// Collectives played on a network: 1,024 ranks, 1 GB. Wanted: 2 M messages/s rank by rank, 1 ms folded.
#include <benchmark/benchmark.h>

#include <numeric>

#include "sim/net/play_collectives.hpp"

namespace {

using namespace mlosim;
using namespace mlosim::net;

constexpr std::uint32_t kRanks = 1024;

Network star() {
  Network network;
  for (std::uint32_t i = 0; i <= kRanks; ++i) network.add_vertex(i);
  for (std::uint32_t i = 0; i < kRanks; ++i)
    network.add_links(i, kRanks, BytesPerSecond(50e9), Seconds(1e-6), std::to_string(i));
  return network;
}

void play_ring(benchmark::State& state, Folding folding) {
  const Network network = star();
  const auto script = ring_script({.kind = work::CollectiveKind::all_reduce, .bytes = Bytes(1e9), .ranks = kRanks});
  std::vector<std::uint32_t> chips(kRanks);
  std::iota(chips.begin(), chips.end(), 0);
  const Stage stage(network, {{.script = script.get(), .chips = chips}});
  std::uint64_t messages = 0;
  for (auto _ : state) messages += stage.play(folding).messages;
  state.SetItemsProcessed(static_cast<std::int64_t>(messages));
}

void ring_rank_by_rank(benchmark::State& state) { play_ring(state, Folding::never); }
void ring_folded(benchmark::State& state) { play_ring(state, Folding::where_exact); }

BENCHMARK(ring_rank_by_rank)->Unit(benchmark::kMillisecond);
BENCHMARK(ring_folded)->Unit(benchmark::kMillisecond);

}  // namespace
