#include "models/plan/slow_ranks.hpp"

#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <random>

#include "sim/units/check.hpp"

namespace mlosim::plan {
namespace {

// A chip does not get arbitrarily fast: a draw that is further from the mean than this many deviations is cut.
constexpr double kFarthest = 4;

// Of the standard normal distribution.
double normal_quantile(double probability) { return -std::sqrt(2.0) * boost::math::erfc_inv(2 * probability); }

// In (0, 1). The engine's sequence is laid down by the standard, the standard distributions' results are not.
double draw_uniform(std::mt19937_64& random) { return (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53; }

double slowdown_of(const Spread& spread, double probability) {
  if (spread.distribution == Spread::Distribution::uniform)
    return 1 + spread.deviation * std::sqrt(3.0) * (2 * probability - 1);
  const double deviations = std::clamp(normal_quantile(probability), -kFarthest, kFarthest);
  return spread.distribution == Spread::Distribution::normal ? 1 + spread.deviation * deviations
                                                             : std::exp(spread.deviation * deviations);
}

}  // namespace

std::vector<double> draw_slowdowns(const SlowRanks& slow, std::int64_t ranks) {
  std::vector<double> slowdowns(static_cast<std::size_t>(ranks), 1.0);
  if (slow.spread) {
    std::mt19937_64 random(slow.seed);
    for (double& slowdown : slowdowns) slowdown = slowdown_of(*slow.spread, draw_uniform(random));
  }
  for (const Straggler& straggler : slow.stragglers) {
    MLOSIM_CHECK(straggler.rank >= 0 && straggler.rank < ranks);
    slowdowns[static_cast<std::size_t>(straggler.rank)] *= straggler.slowdown;
  }
  return slowdowns;
}

std::vector<double> slowest_in_lockstep(std::span<const double> slowdowns, const RankGrid& grid) {
  MLOSIM_CHECK(static_cast<std::int64_t>(slowdowns.size()) == grid.ranks());
  std::vector<double> slowest;
  slowest.reserve(static_cast<std::size_t>(grid.replicas * grid.pipeline));
  for (std::int64_t replica = 0; replica < grid.replicas; ++replica) {
    for (std::int64_t rank = 0; rank < grid.pipeline; ++rank) {
      const auto first = slowdowns.begin() + (rank * grid.replicas + replica) * grid.lockstep;
      slowest.push_back(*std::max_element(first, first + grid.lockstep));
    }
  }
  return slowest;
}

double expected_jitter(double deviation, std::int64_t ranks) {
  const auto n = static_cast<double>(ranks);
  return 1 + deviation * (ranks == 1 ? 0 : normal_quantile((n - 0.375) / (n + 0.25)));
}

double jitter_quantile(double deviation, std::int64_t ranks, double probability) {
  MLOSIM_CHECK(probability > 0 && probability < 1);
  return 1 + deviation * normal_quantile(std::pow(probability, 1 / static_cast<double>(ranks)));
}

}  // namespace mlosim::plan
