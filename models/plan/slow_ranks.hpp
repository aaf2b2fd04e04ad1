// How much the speeds of ranks differ: a spread that every rank draws from, named stragglers, and jitter from step to
// step. It says by which factor a rank takes longer; who waits for whom is the matter of the schedule's play.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace mlosim::plan {

// Of the time that a rank takes for given work, around 1. `deviation` is the standard deviation of that factor
// (lognormal: of its logarithm).
struct Spread {
  enum class Distribution { normal, lognormal, uniform } distribution = Distribution::normal;
  double deviation = 0;
};

struct Straggler {
  std::int64_t rank = 0;
  double slowdown = 1;  // factor on its time, on top of the spread's
};

struct SlowRanks {
  std::optional<Spread> spread;
  std::vector<Straggler> stragglers;
  std::uint64_t seed = 1;

  bool are_equal() const { return !spread && stragglers.empty(); }
};

// Factor on the time of each of `ranks` chips. One seed gives one list, on every machine; a longer one begins with the
// shorter. Requires: stragglers are ranks.
std::vector<double> draw_slowdowns(const SlowRanks& slow, std::int64_t ranks);

// How chips are numbered: `lockstep` chips that wait for one another within a layer (tp, cp) innermost, then the
// replicas, the pipeline's ranks outermost.
struct RankGrid {
  std::int64_t lockstep = 1, replicas = 1, pipeline = 1;

  std::int64_t ranks() const { return lockstep * replicas * pipeline; }
};

// Slowdown of each pipeline rank of the first replica, then of the second, …, for machine::play_replicas: that of the
// slowest of the chips that go in lockstep. Requires: grid.ranks() slowdowns.
std::vector<double> slowest_in_lockstep(std::span<const double> slowdowns, const RankGrid& grid);

// The time of a step relative to one without jitter, where the time of each of `ranks` varies from step to step,
// independently and normally, by `deviation`, and the step takes as long as the slowest.
double expected_jitter(double deviation, std::int64_t ranks);                      // of the mean step (Blom 1958)
double jitter_quantile(double deviation, std::int64_t ranks, double probability);  // 0 < probability < 1

}  // namespace mlosim::plan
