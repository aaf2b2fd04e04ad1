#include "models/predict/close_step.hpp"

#include <algorithm>

namespace mlosim::predict {

using report::TimeBreakdown;

double runs_of_chunk(const plan::ScheduleShape& shape) {
  return static_cast<double>(shape.micro_batches) * (shape.kind == plan::ScheduleKind::dualpipe ? 0.5 : 1);
}

std::int64_t fullest_rank(const plan::ScheduleShape& shape, std::span<const Seconds> busy) {
  std::int64_t fullest = 0;
  Seconds most(-1);
  for (std::int64_t rank = 0; rank < shape.pp; ++rank) {
    Seconds own;
    for (std::int64_t chunk = 0; chunk < shape.chunks(); ++chunk)
      own += busy[static_cast<std::size_t>(shape.stage_of(rank, chunk))];
    if (own > most) fullest = rank;
    most = std::max(most, own);
  }
  return fullest;
}

std::vector<double> slowdowns_of_ranks(const Training& training) {
  const plan::SlowRanks& slow = training.reality.slow_ranks;
  const plan::TrainingParallelism& p = training.parallelism;
  if (slow.are_equal()) return std::vector<double>(static_cast<std::size_t>(p.pp), 1.0);
  return plan::slowest_in_lockstep(plan::draw_slowdowns(slow, p.chips()),
                                   {.lockstep = p.tp * p.cp, .replicas = p.dp, .pipeline = p.pp});
}

double slowest_of_ranks(const Training& training) {
  if (training.reality.slow_ranks.are_equal()) return 1;
  const std::vector<double> slowdowns = slowdowns_of_ranks(training);
  return *std::max_element(slowdowns.begin(), slowdowns.end());
}

void close_step(report::StepCost& work, const StepEnds& ends, const MeanWork& mean, const Training& training,
                const spec::ChipSpec& chip) {
  const Watts idle = chip.power.static_power();
  // Of what messages add, a rank's own are communication; what others' hold it up it waits for the pipeline.
  const Seconds waits = std::max(Seconds(0), ends.pipeline - work.makespan);
  const Seconds sends = std::min({waits, ends.for_messages, ends.message_time});
  work.wait(waits - sends, &TimeBreakdown::bubble, chip::Resource::pipeline, idle);
  work.wait(sends + ends.longer, &TimeBreakdown::communication_exposed, chip::Resource::link_bandwidth, idle);
  work.communication_total += ends.message_time + ends.exchange_time;
  report::StepCost end = ends.end;
  end.breakdown.optimizer = end.breakdown.compute + end.breakdown.memory;
  end.breakdown.compute = end.breakdown.memory = Seconds(0);
  const Seconds longest = end.breakdown.optimizer * slowest_of_ranks(training);
  work.add(end, 1);
  work.wait(longest - end.breakdown.optimizer, &TimeBreakdown::bubble, chip::Resource::pipeline, idle);
  if (const auto& jitter = training.reality.jitter) {
    const double longer = plan::expected_jitter(jitter->deviation, training.parallelism.chips());
    work.wait(work.makespan * (longer - 1), &TimeBreakdown::bubble, chip::Resource::pipeline, idle);
  }
  work.energy_parts = mean.energy;
  work.device_bytes = mean.device_bytes;
  work.energy = idle * work.makespan + mean.energy.in_chip();
}

}  // namespace mlosim::predict
