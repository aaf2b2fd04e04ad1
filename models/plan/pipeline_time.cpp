#include "models/plan/pipeline_time.hpp"

#include <algorithm>
#include <vector>

#include "sim/units/check.hpp"

namespace mlosim::plan {
namespace {

// A stage whose messages are part of its work where they block, and latencies of the way to the next one where not.
struct Stage {
  Seconds forward, input_gradient, weight_gradient;
  Seconds there_and_back{};                       // messages between it and the stage after
  Seconds there{};                                // the activation's alone
  Seconds blocked_forward{}, blocked_backward{};  // parts of the work in which it sends

  Seconds backward() const { return input_gradient + weight_gradient; }
  Seconds both() const { return forward + backward(); }
};

std::vector<Stage> stages_of(const ScheduleShape& shape, std::span<const StageTimes> times, machine::SendMode mode) {
  std::vector<Stage> stages;
  for (std::size_t s = 0; s < times.size(); ++s) {
    const StageTimes& t = times[s];
    const bool is_last = s + 1 == times.size() || shape.pp == 1;
    const bool is_first = s == 0 || shape.pp == 1;
    Stage stage{.forward = t.forward, .input_gradient = t.input_gradient, .weight_gradient = t.weight_gradient};
    if (mode == machine::SendMode::blocking) {
      if (!is_last) stage.blocked_forward = t.send_activation;
      if (!is_first) stage.blocked_backward = t.send_gradient;
      stage.forward += stage.blocked_forward;
      stage.input_gradient += stage.blocked_backward;
    } else if (!is_last) {
      stage.there = t.send_activation;
      stage.there_and_back = t.send_activation + times[s + 1].send_gradient;
    }
    stages.push_back(stage);
  }
  return stages;
}

double d(std::int64_t n) { return static_cast<double>(n); }

// All forwards flow through, then all backwards: each takes the sum of its stages once and its slowest stage for every
// other micro-batch.
Seconds gpipe_time(const ScheduleShape& shape, const std::vector<Stage>& stages) {
  Seconds once, slowest_forward, slowest_backward;
  for (const Stage& stage : stages) {
    once += stage.both() + stage.there_and_back;
    slowest_forward = std::max(slowest_forward, stage.forward);
    slowest_backward = std::max(slowest_backward, stage.backward());
  }
  return once + d(shape.micro_batches - 1) * (slowest_forward + slowest_backward);
}

// The longest of the paths through the forwards and backwards that matter.
//
// A path that stays at stage j: it is reached, works for all micro-batches, and at both ends either works on its own
// warm-up or waits for the way down to the last stage and back.
// A path that zigzags between stages i and j: one way down and back passes each of the n stages once, and reaches the
// micro-batch n after its own; so messages cost 2 (n - 1) / n latencies a micro-batch.
Seconds one_f_one_b_time(const ScheduleShape& shape, const std::vector<Stage>& stages) {
  const std::int64_t p = shape.pp, m = shape.micro_batches;
  Seconds whole;
  bool has_messages = false;
  for (const Stage& stage : stages) {
    whole += stage.both() + stage.there_and_back;
    has_messages = has_messages || stage.there_and_back > Seconds(0);
  }
  Seconds longest, before;
  for (std::int64_t j = 0; j < p; ++j) {
    const Stage& stage = stages[static_cast<std::size_t>(j)];
    const Seconds beyond = whole - before - stage.both();
    const std::int64_t warm_up = std::min(p - 1 - j, m - 1);
    const Seconds own = before + d(m) * stage.both();
    if (m - 1 > warm_up) {
      longest = std::max(longest, own + std::max(Seconds(0), beyond - d(warm_up) * stage.forward) +
                                      std::max(Seconds(0), beyond - d(warm_up) * stage.backward()));
    } else {
      longest = std::max(longest, std::max(own, before + stage.both() + beyond +
                                                    d(m - 1) * std::max(stage.forward, stage.backward())));
    }
    Seconds zigzag, slowest, hop = whole;
    for (std::int64_t k = j; has_messages && k < p; ++k) {
      const Stage& end = stages[static_cast<std::size_t>(k)];
      zigzag += end.both();
      slowest = std::max(slowest, end.both());
      const std::int64_t n = k - j + 1, left = m - 1 - (p - j);
      if (left >= 0) {
        const std::int64_t rest = left % n;
        const Seconds rest_time = d(rest) * slowest + (rest > 1 ? d(rest - 1) * hop : Seconds(0));
        longest = std::max(longest, before + 2 * (whole - before) + d(left / n) * zigzag + rest_time);
      }
      zigzag += end.there_and_back;
      hop = std::min(hop, end.there_and_back);
    }
    before += stage.both() + stage.there_and_back;
  }
  return longest;
}

// What holds up the forwards (or, seen from the end, the backwards) of one chunk while a pipeline fills.
struct Filling {
  Seconds sum, slowest;  // of the chunk over all ranks; the sum with the messages once round

  void add(Seconds work, Seconds message) {
    sum += work + message;
    slowest = std::max(slowest, work);
  }
  // A rank waits for the first of `p` micro-batches to come round again, or for the pace of the slowest rank.
  Seconds idle(std::int64_t p, Seconds own) const {
    return std::max({Seconds(0), sum - d(p) * own, d(p - 1) * (slowest - own)});
  }
};

// A rank works for all micro-batches, after the first stages of the ranks before it and beside the last stages of those
// behind. During warm-up nothing hides the way of a micro-batch once round the ranks, from each chunk to the next; so
// in the drain. In between messages hide as long as they are shorter than half a chunk's forward and backward. What it
// does not see: a rank other than the last that is much slower than the rest works in what is counted as its bubble.
Seconds interleaved_time(const ScheduleShape& shape, const std::vector<Stage>& stages) {
  const std::int64_t p = shape.pp, v = shape.virtual_stages;
  const auto stage_at = [&](std::int64_t rank, std::int64_t chunk) -> const Stage& {
    return stages[static_cast<std::size_t>(shape.stage_of(rank, chunk))];
  };
  Seconds behind;
  for (std::int64_t rank = 0; rank < p; ++rank) behind += stage_at(rank, v - 1).both();
  for (std::int64_t rank = 0; rank + 1 < p; ++rank) behind += stage_at(rank, v - 1).there_and_back;
  std::vector<Filling> forwards(static_cast<std::size_t>(v - 1)), backwards(forwards);
  for (std::int64_t chunk = 0; chunk + 1 < v; ++chunk) {
    const auto c = static_cast<std::size_t>(chunk);
    for (std::int64_t rank = 0; rank < p; ++rank) {
      const Stage& stage = stage_at(rank, chunk);
      forwards[c].add(stage.forward, stage.there);
      backwards[c].add(stage.backward(), stage.there_and_back - stage.there);
    }
  }
  Seconds before, longest;
  for (std::int64_t rank = 0; rank < p; ++rank) {
    Seconds own, idle;
    // One exchange carries the messages of a forward and the backward after it.
    const double shared = d(shape.micro_batches) - d(interleaved_warm_up(shape, rank)) / d(v);
    for (std::int64_t chunk = 0; chunk < v; ++chunk) {
      const auto c = static_cast<std::size_t>(chunk);
      const Stage& stage = stage_at(rank, chunk);
      own += d(shape.micro_batches) * stage.both() - shared * std::min(stage.blocked_forward, stage.blocked_backward);
      if (chunk + 1 == v) continue;
      idle += forwards[c].idle(p, stage.forward) + backwards[c].idle(p, stage.backward());
      // The ranks before it have gone on to the next chunk when a micro-batch comes round.
      forwards[c].sum += stage_at(rank, chunk + 1).forward - stage.forward;
      backwards[c].sum += stage_at(rank, chunk + 1).backward() - stage.backward();
    }
    behind -= stage_at(rank, v - 1).both();
    longest = std::max(longest, before + own + behind + idle);
    if (rank + 1 < p) behind -= stage_at(rank, v - 1).there_and_back;
    before += stage_at(rank, 0).both() + stage_at(rank, 0).there_and_back;
  }
  return longest;
}

// As the path of 1F1B that stays at a stage. Weight gradients fill the wait for the last gradients, and the last of
// them the drain. With equal stages the bubble is (p - 1) (F + B - W), as Qi et al. 2023 have it.
Seconds h1_time(const ScheduleShape& shape, const std::vector<Stage>& stages) {
  const std::int64_t p = shape.pp, m = shape.micro_batches;
  Seconds beyond;
  for (const Stage& stage : stages) beyond += stage.forward + stage.input_gradient + stage.there_and_back;
  Seconds longest, reached, drain = stages.front().weight_gradient;
  for (std::int64_t j = 0; j < p; ++j) {
    const Stage& stage = stages[static_cast<std::size_t>(j)];
    beyond -= stage.forward + stage.input_gradient;
    const std::int64_t warm_up = std::min(p - 1 - j, m - 1);
    Seconds idle = std::max(Seconds(0), beyond - d(warm_up) * stage.forward);
    if (m - 1 > warm_up)
      idle += std::max(Seconds(0), beyond - d(warm_up) * (stage.input_gradient + stage.weight_gradient));
    const Seconds own_drain = d(std::min(j + 1, m)) * stage.weight_gradient;
    longest = std::max(longest, reached + d(m) * stage.both() + idle + std::max(Seconds(0), drain - own_drain));
    reached += stage.forward + stage.there;
    beyond -= stage.there_and_back;
    drain += stage.input_gradient + stage.there_and_back - stage.there;
  }
  return longest;
}

// Schedules without a formula: played for some micro-batches, and as many more as the last of them added.
Seconds extended_time(const ScheduleShape& shape, std::span<const StageTimes> times, machine::SendMode mode) {
  const event::Facts<machine::PipelineFact> unobserved;
  const auto played = [&](std::int64_t micro_batches) {
    ScheduleShape shorter = shape;
    shorter.micro_batches = micro_batches;
    return to_seconds(
        machine::play_pipeline(build_pipeline(make_schedule(shorter), times), mode, {}, unobserved).makespan);
  };
  const std::int64_t more = 2 * shape.pp, few = 2 * more + shape.micro_batches % 2;
  if (shape.micro_batches <= few + more) return played(shape.micro_batches);
  const Seconds some = played(few);
  return some + d(shape.micro_batches - few) / d(more) * (played(few + more) - some);
}

}  // namespace

Seconds estimate_pipeline(const ScheduleShape& shape, std::span<const StageTimes> times, machine::SendMode mode) {
  MLOSIM_CHECK(static_cast<std::int64_t>(times.size()) == shape.stages());
  const std::vector<Stage> stages = stages_of(shape, times, mode);
  switch (shape.kind) {
    case ScheduleKind::gpipe:
      return gpipe_time(shape, stages);
    case ScheduleKind::one_f_one_b:
      return one_f_one_b_time(shape, stages);
    case ScheduleKind::interleaved:
      return interleaved_time(shape, stages);
    case ScheduleKind::zero_bubble:
      if (shape.zero_bubble == ZeroBubble::h1) return h1_time(shape, stages);
      return extended_time(shape, times, mode);
    case ScheduleKind::dualpipe:
      return extended_time(shape, times, mode);
  }
  MLOSIM_CHECK(false);
}

}  // namespace mlosim::plan
