// What keeps a real machine from being the ideal one: ranks of unequal speed, jitter, failures and checkpoints. The
// `reality:` block of a training workload; each part is off where it is not there.
//
//   reality:
//     seed: 1                                                   # of everything drawn
//     spread: {distribution: normal, deviation: 0.01}           # or lognormal, uniform
//     stragglers: [{rank: 17, slowdown: 1.3}]                   # takes 1.3 times as long
//     jitter: {deviation: 0.005}                                # of each rank from step to step
//     failures: {chip_mtbf: 50.7e3 h, detection: 2 min, restart: 5 min, repair: 1 day, spares: 4, needs_repair: 0.8}
//                                                               # or node_mtbf with node_chips, instead of chip_mtbf
//     checkpoint: {storage: 2 TB/s, snapshot: 400 TB/s, interval: 30 min}   # without an interval: the best
#pragma once

#include <cstdint>
#include <optional>

#include "models/plan/goodput.hpp"
#include "models/plan/slow_ranks.hpp"
#include "sim/spec/node.hpp"

namespace mlosim::plan {

struct Jitter {
  double deviation = 0;  // standard deviation of a rank's time from step to step, relative
};

struct Reality {
  SlowRanks slow_ranks;
  std::optional<Jitter> jitter;
  std::optional<Failures> failures;
  std::optional<Checkpoints> checkpoints;

  bool is_ideal() const { return slow_ranks.are_equal() && !jitter && !failures && !checkpoints; }
};

// An absent node is an ideal machine. `ranks`: of the job; stragglers must be among them.
Reality decode_reality(spec::Node node, std::int64_t ranks);

}  // namespace mlosim::plan
