// What failures and checkpoints leave of a training run: the share of wall time that is useful, and what the rest goes
// into. Expectations in closed form; no single run is simulated.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/units/quantity.hpp"

namespace mlosim::plan {

// Every chip fails at a constant rate, independently; any failure stops the whole job.
struct Failures {
  Seconds chip_mtbf;                // mean time between failures that one chip (its share of everything) causes
  Seconds detection{};              // until the job is known to have stopped
  Seconds restart{};                // to start it again, without reading the checkpoint
  std::optional<Seconds> repair{};  // of a failed node; none: another always stands by
  std::int64_t spares = 0;          // nodes that stand by until others are repaired; means something with `repair`
  double needs_repair = 1;          // share of failures after which the node must be replaced
};

struct Checkpoints {
  BytesPerSecond storage;                    // that all chips together write and read
  std::optional<Seconds> interval{};         // of training between two checkpoints; none: the best
  std::optional<BytesPerSecond> snapshot{};  // to host memory, all chips together: training stops for that alone, and
                                             // storage is written beside it; none: training stops until it is written
};

// Shares of wall time; they add up to 1.
struct Goodput {
  double useful = 1;
  double checkpointing = 0;  // training stands still while state is saved
  double lost_work = 0;      // done and thrown away since the last checkpoint
  double restarting = 0;     // noticing, starting again, reading the checkpoint
  double waiting = 0;        // for a node to be repaired, as no spare was left

  Seconds interval;                           // of training between two checkpoints
  Seconds stall;                              // that one checkpoint stops training for
  std::optional<Seconds> between_failures{};  // of the whole job; none: it does not fail

  // What `useful_time` of undisturbed training takes.
  Seconds wall_time(Seconds useful_time) const { return useful_time / useful; }
};

// `state`: bytes of a checkpoint. Without failures only given intervals cost anything. Requires: checkpoints where
// there are failures.
//
// Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps", 2006: with M between failures
// of the job, R from a failure to work again and a stall of d after every interval t, wall time is
// M exp(R/M) (exp((t + d)/M) - 1) / t times the useful; failures may strike at any time, while restarting too. The best
// interval is Daly's sqrt(2 d M) (1 + sqrt(d/2M)/3 + (d/2M)/9) - d, but no shorter than storage takes to be written. A
// checkpoint that is written beside training saves nothing before it is complete: each failure loses that time too.
//
// Nodes under repair come and go as in a queue of Poisson arrivals; a failure finds all spares in repair with Erlang's
// loss probability B(spares, repair/M), and then waits repair/(spares + 1) for the first of them,
// while nothing else fails.
Goodput estimate_goodput(const std::optional<Failures>& failures, const std::optional<Checkpoints>& checkpoints,
                         std::int64_t chips, Bytes state);

}  // namespace mlosim::plan
