#include "sim/net/play_collectives.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace mlosim::net {
namespace {

using work::Collective;
using work::CollectiveKind;

constexpr double kBandwidth = 50e9, kLatency = 1e-6;

Network ring(std::uint32_t n, double latency = kLatency) {
  Network network;
  for (std::uint32_t i = 0; i < n; ++i) network.add_vertex(i);
  for (std::uint32_t i = 0; i < n; ++i)
    network.add_links(i, (i + 1) % n, BytesPerSecond(kBandwidth), Seconds(latency), "link" + std::to_string(i));
  return network;
}

// All chips on one switch.
Network star(std::uint32_t n) {
  Network network;
  for (std::uint32_t i = 0; i <= n; ++i) network.add_vertex(i);
  for (std::uint32_t i = 0; i < n; ++i)
    network.add_links(i, n, BytesPerSecond(kBandwidth), Seconds(kLatency / 2), "chip" + std::to_string(i));
  return network;
}

std::vector<std::uint32_t> first(std::uint32_t n) {
  std::vector<std::uint32_t> chips(n);
  std::iota(chips.begin(), chips.end(), 0);
  return chips;
}

double seconds(event::Time t) { return static_cast<double>(t.ps()) * 1e-12; }

Played play(const Network& network, const Script& script, Folding folding = Folding::where_exact) {
  return Stage(network, {{.script = &script, .chips = first(static_cast<std::uint32_t>(script.ranks()))}})
      .play(folding);
}

Collective all_reduce(std::int64_t ranks, double bytes = 1e9) {
  return {.kind = CollectiveKind::all_reduce, .bytes = Bytes(bytes), .ranks = ranks};
}

TEST(PlayCollectives, AnUncontendedRingTakesItsClosedForm) {
  for (const std::uint32_t n : {2u, 3u, 8u, 64u}) {
    const Network network = star(n);
    const auto script = ring_script(all_reduce(n));
    const double closed = 2 * (n - 1.0) * (1e9 / n / kBandwidth + kLatency);
    EXPECT_NEAR(seconds(play(network, *script).ends[0]), closed, 1e-3 * closed) << n;
    EXPECT_NEAR(seconds(play(network, *script, Folding::never).ends[0]), closed, 1e-3 * closed) << n;
  }
}

TEST(PlayCollectives, FoldedAndRankByRankAreTheSame) {
  const Network network = star(16);
  std::vector<std::unique_ptr<Script>> scripts;
  scripts.push_back(ring_script(all_reduce(16)));
  scripts.push_back(halving_doubling_script(all_reduce(16)));
  scripts.push_back(hierarchical_script(all_reduce(16), 4));
  scripts.push_back(torus_script(all_reduce(16), {4, 2, 2}));
  scripts.push_back(direct_script(all_reduce(16)));
  for (const auto& script : scripts) {
    const Played folded = play(network, *script), whole = play(network, *script, Folding::never);
    EXPECT_TRUE(folded.is_folded);
    EXPECT_NEAR(seconds(folded.ends[0]), seconds(whole.ends[0]), 1e-9 * seconds(whole.ends[0]));
    EXPECT_EQ(folded.messages, whole.messages);
  }
}

TEST(PlayCollectives, HalvingDoublingMovesTheRingsBytesInFewerSteps) {
  const auto script = halving_doubling_script(all_reduce(16));
  const double closed = 2 * 15.0 / 16 * 1e9 / kBandwidth + 8 * kLatency;
  EXPECT_NEAR(seconds(play(star(16), *script).ends[0]), closed, 1e-3 * closed);
}

TEST(PlayCollectives, ATreeGoesUpAndDown) {
  const auto script = tree_script(all_reduce(7));
  // Two children share their parent's link; down, both leave by it.
  const double closed = 4 * (2 * 1e9 / kBandwidth + kLatency);
  const Played played = play(star(7), *script);
  EXPECT_NEAR(seconds(played.ends[0]), closed, 1e-3 * closed);
  EXPECT_EQ(played.messages, 12u);
}

TEST(PlayCollectives, AllToAllOnARingIsBoundByTheCutInItsMiddle) {
  const auto script = direct_script({.kind = CollectiveKind::all_to_all, .bytes = Bytes(1e9), .ranks = 64});
  const Played played = play(ring(64, 0), *script);
  EXPECT_GE(seconds(played.ends[0]), 0.149);
  EXPECT_NEAR(seconds(played.ends[0]), 32 * 32 * 1e9 / 64 / (2 * kBandwidth), 0.02);
}

TEST(PlayCollectives, CollectivesAtOnceShareLinks) {
  const Network network = star(8);
  const auto script = ring_script(all_reduce(8));
  const double alone = seconds(play(network, *script).ends[0]);
  const Played both =
      Stage(network, {{.script = script.get(), .chips = first(8)}, {.script = script.get(), .chips = first(8)}}).play();
  EXPECT_NEAR(seconds(both.ends[0]) / alone, 2, 1e-2);
  EXPECT_NEAR(seconds(both.ends[1]) / alone, 2, 1e-2);
}

TEST(PlayCollectives, ASlowLinkSetsThePaceAndIsNamed) {
  Network network = star(8);
  const auto script = ring_script(all_reduce(8));
  const double alone = seconds(play(network, *script).ends[0]);
  network.set_bandwidth("chip3", BytesPerSecond(kBandwidth / 4));
  const Played slow = play(network, *script);
  EXPECT_FALSE(slow.is_folded);
  EXPECT_TRUE(slow.bottleneck.starts_with("chip3")) << slow.bottleneck;
  EXPECT_GT(seconds(slow.ends[0]), 3.9 * alone);
}

TEST(PlayCollectives, AFailedLinkOfARingSendsItsMessagesTheOtherWay) {
  Network network = ring(8);
  const auto script = ring_script(all_reduce(8));
  const double alone = seconds(play(network, *script).ends[0]);
  network.set_bandwidth("link5", BytesPerSecond(0));
  EXPECT_GT(seconds(play(network, *script).ends[0]), alone);
}

}  // namespace
}  // namespace mlosim::net
