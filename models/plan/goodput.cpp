#include "models/plan/goodput.hpp"

#include <algorithm>
#include <cmath>

#include "sim/units/check.hpp"

namespace mlosim::plan {
namespace {

Seconds best_interval(Seconds stall, Seconds between_failures) {
  if (stall >= 2 * between_failures) return between_failures;
  const double x = stall / (2 * between_failures);
  return Seconds(std::sqrt(2 * stall.si() * between_failures.si())) * (1 + std::sqrt(x) / 3 + x / 9) - stall;
}

// Probability that an arrival finds `servers` servers busy, where `load` would be busy on average if there were enough.
double erlang_loss(std::int64_t servers, double load) {
  double loss = 1;
  for (std::int64_t n = 1; n <= servers; ++n) loss = load * loss / (static_cast<double>(n) + load * loss);
  return loss;
}

// Wait for a node, in the mean over all failures.
Seconds wait_for_node(const Failures& failures, Seconds between_failures) {
  if (!failures.repair) return Seconds(0);
  const double load = *failures.repair * failures.needs_repair / between_failures;
  return failures.needs_repair * erlang_loss(failures.spares, load) * *failures.repair /
         static_cast<double>(failures.spares + 1);
}

}  // namespace

Goodput estimate_goodput(const std::optional<Failures>& failures, const std::optional<Checkpoints>& checkpoints,
                         std::int64_t chips, Bytes state) {
  MLOSIM_CHECK(chips > 0 && (checkpoints || !failures));
  Goodput goodput;
  if (!checkpoints) return goodput;
  const Seconds written = state / checkpoints->storage;
  goodput.stall = checkpoints->snapshot ? std::min(written, state / *checkpoints->snapshot) : written;
  const bool is_beside = goodput.stall < written;
  if (failures) goodput.between_failures = failures->chip_mtbf / static_cast<double>(chips);
  if (checkpoints->interval) {
    goodput.interval = *checkpoints->interval;
  } else if (failures) {
    goodput.interval = best_interval(goodput.stall, *goodput.between_failures);
  }
  if (is_beside && (failures || checkpoints->interval))
    goodput.interval = std::max(goodput.interval, written - goodput.stall);
  // Without failures none is needed; a state without bytes is saved all the time and costs nothing.
  const bool costs_nothing = goodput.interval <= Seconds(0);
  if (!failures) {
    if (costs_nothing) return goodput;
    goodput.useful = goodput.interval / (goodput.interval + goodput.stall);
    goodput.checkpointing = 1 - goodput.useful;
    return goodput;
  }
  const Seconds mean = *goodput.between_failures;
  const Seconds wait = wait_for_node(*failures, mean);
  const Seconds restart = failures->detection + failures->restart + written;
  const Seconds incomplete = is_beside ? written - goodput.stall : Seconds(0);
  const double idle = (restart + incomplete) / mean;
  const double stretch =
      costs_nothing ? 1 : mean / goodput.interval * std::expm1((goodput.interval + goodput.stall) / mean);
  // While the job waits for a node nothing fails, so that waits come on top of Daly's wall time.
  const double running = 1 / (1 + wait / mean);
  goodput.useful = running / (std::exp(idle) * stretch);
  goodput.checkpointing = costs_nothing ? 0 : goodput.useful * (goodput.stall / goodput.interval);
  goodput.waiting = 1 - running;
  // Restarts are cut short by other failures.
  if (idle > 0) goodput.restarting = running * -std::expm1(-idle) * (restart / mean / idle);
  goodput.lost_work = std::max(0.0, 1 - goodput.useful - goodput.checkpointing - goodput.restarting - goodput.waiting);
  return goodput;
}

}  // namespace mlosim::plan
