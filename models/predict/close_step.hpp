// What turns the work of one rank into a training step: waiting for the pipeline, the ends of the step, and what
// reality adds. The same for steps that were played and for those in closed form.
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

// What data-parallel collectives beside the first forward and the last backward pass of the first stage add.
struct DataParallelEnds {
  Seconds longer;         // by which these passes are longer than the others
  Seconds communication;  // in all, hidden or not
  report::EnergyParts energy;

  void add(const report::StepCost& with, const report::StepCost& without) {
    longer += with.makespan - without.makespan;
    communication += with.communication_total - without.communication_total;
    energy += with.energy_parts;
    energy += without.energy_parts * -1;
  }
};

struct StepEnds {
  Seconds pipeline;  // from the first forward to the last backward pass
  DataParallelEnds data_parallel;
  report::StepCost end;  // of step_end_program: its work is the optimiser's
};

// `work`: of the fullest rank, all its passes.
void close_step(report::StepCost& work, const StepEnds& ends, const Training& training, const spec::ChipSpec& chip);

}  // namespace mlosim::predict
