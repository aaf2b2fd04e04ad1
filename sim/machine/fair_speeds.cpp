#include "sim/machine/fair_speeds.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

namespace mlosim::machine {
namespace {

constexpr std::size_t kShared = 4;
constexpr double kNoise = 1e-12;

using Shares = std::array<double, kShared>;

Shares shares_of(const chip::ChipUse& use) { return {use.units, use.cache, use.memory, use.link}; }

// In ascending order, so that the order of the tasks does not show.
double sum(std::vector<double>& parts) {
  std::sort(parts.begin(), parts.end());
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

struct Contender {
  Shares shares;
  double dominant = 0;  // largest share of what there is too little of
  double speed = 1;
  bool is_rising = false;
};

// The level at which a resource is taken entirely, where rising tasks take `level` of their dominant one.
double level_that_fills(std::size_t resource, const std::vector<Contender>& contenders) {
  std::vector<double> taken, rising;
  for (const Contender& c : contenders) {
    if (c.is_rising) {
      rising.push_back(c.shares[resource] / c.dominant);
    } else {
      taken.push_back(c.shares[resource] * c.speed);
    }
  }
  const double slope = sum(rising);
  return slope > 0 ? std::max(0.0, 1 - sum(taken)) / slope : std::numeric_limits<double>::infinity();
}

}  // namespace

std::vector<double> fair_speeds(const std::vector<chip::ChipUse>& uses) {
  std::vector<Contender> contenders;
  for (const chip::ChipUse& use : uses) contenders.push_back({.shares = shares_of(use)});
  std::array<bool, kShared> is_short{};
  for (std::size_t r = 0; r < kShared; ++r) {
    std::vector<double> parts;
    for (const Contender& c : contenders) parts.push_back(c.shares[r]);
    is_short[r] = sum(parts) > 1 + kNoise;
    if (!is_short[r]) continue;
    for (Contender& c : contenders) c.dominant = std::max(c.dominant, c.shares[r]);
  }
  for (Contender& c : contenders) c.is_rising = c.dominant > 0;

  while (std::any_of(contenders.begin(), contenders.end(), [](const Contender& c) { return c.is_rising; })) {
    double level = std::numeric_limits<double>::infinity();  // at which the first task has all that it needs
    for (const Contender& c : contenders) {
      if (c.is_rising) level = std::min(level, c.dominant);
    }
    Shares fills{};
    for (std::size_t r = 0; r < kShared; ++r) {
      fills[r] = is_short[r] ? level_that_fills(r, contenders) : std::numeric_limits<double>::infinity();
    }
    const double full = *std::min_element(fills.begin(), fills.end());
    for (Contender& c : contenders) {
      if (!c.is_rising) continue;
      if (level <= full) {
        c.is_rising = c.dominant > level;
      } else {
        for (std::size_t r = 0; r < kShared; ++r) {
          if (fills[r] > full || c.shares[r] <= 0) continue;
          c.is_rising = false;
          c.speed = full / c.dominant;
        }
      }
    }
  }
  std::vector<double> speeds;
  for (const Contender& c : contenders) speeds.push_back(c.speed);
  return speeds;
}

}  // namespace mlosim::machine
