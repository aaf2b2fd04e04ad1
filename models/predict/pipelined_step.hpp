// A step of inference on a pipeline, put together from its stages' plays.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/report/step_report.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::predict {

struct PipelinedStep {
  std::vector<report::StepReport> stages;  // one micro-batch through each, message included
  std::int64_t micro_batches = 1;
  bool repeats = false;  // decode: the stages are never drained between steps (plan::time_of_round)
};

// Of a chip: the mean over the stages of their work for all micro-batches, and what a chip waits besides (bubble), in
// which it draws `static_power`. Counts of operators are those of the mean chip, too. One stage and one micro-batch is
// what it was.
report::StepReport mean_of_stages(PipelinedStep step, Watts static_power);

}  // namespace mlosim::predict
