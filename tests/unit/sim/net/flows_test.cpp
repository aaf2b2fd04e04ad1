#include "sim/net/flows.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace mlosim::net {
namespace {

// Chips 0 … 3 on a line, links of 1 GB/s with no latency: 0-1, 1-2, 2-3.
Network line() {
  Network network;
  for (std::uint32_t i = 0; i < 4; ++i) network.add_vertex(i);
  for (std::uint32_t i = 0; i < 3; ++i)
    network.add_links(i, i + 1, BytesPerSecond(1e9), Seconds(0), "link" + std::to_string(i));
  return network;
}

struct Arrival : event::Event {
  Arrival() : Event([](event::Simulator& sim, event::Event& e) { static_cast<Arrival&>(e).at = sim.now(); }) {}
  event::Time at;
};

// When flows of `bytes` that start together arrive, in microseconds.
std::vector<double> play(const Network& network, const std::vector<std::pair<std::uint32_t, std::uint32_t>>& pairs,
                         const std::vector<double>& bytes) {
  event::Simulator sim;
  const std::vector<Path> paths = network.routes(pairs);
  Flows flows(sim, network, paths);
  std::deque<Arrival> arrivals(pairs.size());
  for (std::uint32_t i = 0; i < pairs.size(); ++i) flows.start(i, Bytes(bytes[i]), arrivals[i]);
  EXPECT_TRUE(sim.run().empty());
  std::vector<double> times;
  for (const Arrival& a : arrivals) times.push_back(static_cast<double>(a.at.ps()) * 1e-6);
  return times;
}

TEST(Flows, OneFlowHasTheNarrowestLink) {
  EXPECT_DOUBLE_EQ(play(line(), {{0, 3}}, {1000})[0], 1);
  Network narrow = line();
  narrow.set_bandwidth("link1", BytesPerSecond(0.5e9));
  EXPECT_DOUBLE_EQ(play(narrow, {{0, 3}}, {1000})[0], 2);
}

TEST(Flows, ShareALinkEvenlyAndUseWhatTheOtherLeaves) {
  const std::vector<double> times = play(line(), {{0, 1}, {0, 2}}, {1000, 3000});
  EXPECT_DOUBLE_EQ(times[0], 2);  // half until the shorter one ends
  EXPECT_DOUBLE_EQ(times[1], 4);
}

TEST(Flows, SharesAreMaxMinFair) {
  // The long flow shares link1 with two others, and gets a third; the flow on link0 gets what that leaves, two thirds.
  const std::vector<double> times = play(line(), {{0, 2}, {1, 2}, {1, 3}, {0, 1}}, {1000, 1000, 1000, 2000});
  EXPECT_NEAR(times[0], 3, 1e-5);
  EXPECT_NEAR(times[3], 3, 1e-5);
}

TEST(Flows, OppositeDirectionsDoNotShare) {
  const std::vector<double> times = play(line(), {{0, 3}, {3, 0}}, {1000, 1000});
  EXPECT_DOUBLE_EQ(times[0], 1);
  EXPECT_DOUBLE_EQ(times[1], 1);
}

TEST(Flows, AFlowThatIsCutInTwoIsNotFaster) {
  const double whole = play(line(), {{0, 2}, {1, 2}}, {4000, 1000})[0];
  const std::vector<double> halves = play(line(), {{0, 2}, {0, 2}, {1, 2}}, {2000, 2000, 1000});
  EXPECT_GE(std::max(halves[0], halves[1]), whole * (1 - 1e-9));
}

TEST(Flows, ALinkCarriesNoMoreThanItsBandwidth) {
  const Network network = line();
  event::Simulator sim;
  const std::vector<Path> paths = network.routes({{0, 2}, {0, 1}, {1, 3}});
  Flows flows(sim, network, paths);
  std::deque<Arrival> arrivals(30);
  double bytes = 100;
  for (std::uint32_t i = 0; i < arrivals.size(); ++i, bytes *= 1.2) flows.start(i % 3, Bytes(bytes), arrivals[i]);
  EXPECT_TRUE(sim.run().empty());
  for (std::uint32_t link = 0; link < network.links().size(); ++link)
    EXPECT_LE(flows.carried(link).si(), 1e9 * static_cast<double>(sim.now().ps()) * 1e-12 * (1 + 1e-9));
  EXPECT_TRUE(network.links()[flows.busiest()].name == "link0" || network.links()[flows.busiest()].name == "link1");
}

}  // namespace
}  // namespace mlosim::net
