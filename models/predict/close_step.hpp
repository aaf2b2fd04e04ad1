// What turns the work of the ranks into a training step: waiting for the pipeline, the ends of the step, and what
// reality adds. The same for steps that were played and for those in closed form.
//
// The time is that of the fullest rank, with its waiting: it is the step's. What is drawn and moved is the mean of all
// ranks, each of which draws its static power all the time: of all chips it is then right.
#pragma once

#include <span>
#include <vector>

#include "models/plan/pipeline_schedule.hpp"
#include "models/predict/training.hpp"
#include "sim/report/step_report.hpp"
#include "sim/spec/chip_spec.hpp"

namespace mlosim::predict {

// How often a rank runs each of its chunks in a step. Under dualpipe both directions share the micro-batches.
double runs_of_chunk(const plan::ScheduleShape& shape);

// The pipeline rank that has most to do: its time, with its waiting, is the step's. `busy`: of each virtual stage.
std::int64_t fullest_rank(const plan::ScheduleShape& shape, std::span<const Seconds> busy);

// How much longer than it should each pipeline rank of each replica takes; of one replica where all are alike.
std::vector<double> slowdowns_of_ranks(const Training& training);
double slowest_of_ranks(const Training& training);

// What a chip draws, beside its static power, and moves.
struct MeanWork {
  report::EnergyParts energy;
  Bytes device_bytes;

  void add(const report::StepCost& cost, double times) { add({cost.energy_parts, cost.device_bytes}, times); }
  void add(const MeanWork& other, double times) {
    energy += other.energy * times;
    device_bytes += other.device_bytes * times;
  }
};

struct StepEnds {
  Seconds pipeline;        // from the first forward to the last backward pass
  Seconds for_messages;    // of it: by which it would be shorter if messages took no time
  Seconds message_time;    // of all messages that the fullest rank sends
  Seconds longer;          // by which exchanges once a step make the passes beside them longer
  Seconds exchange_time;   // of those of the fullest rank
  report::StepCost end{};  // of step_end_program, of the rank where it takes longest: its work is the optimiser's
};

// `work`: of the fullest rank, all its passes. `mean`: of all that the ranks do in the step.
void close_step(report::StepCost& work, const StepEnds& ends, const MeanWork& mean, const Training& training,
                const spec::ChipSpec& chip);

}  // namespace mlosim::predict
