#include "models/predict/pipelined_step.hpp"

#include <algorithm>
#include <utility>

#include "models/plan/inference_stages.hpp"
#include "sim/units/check.hpp"

namespace mlosim::predict {

report::StepReport mean_of_stages(PipelinedStep step, Watts static_power) {
  MLOSIM_CHECK(!step.stages.empty() && step.micro_batches >= 1);
  if (step.stages.size() == 1 && step.micro_batches == 1) return std::move(step.stages.front());
  std::vector<Seconds> times;
  report::StepReport mean;
  const double each = static_cast<double>(step.micro_batches) / static_cast<double>(step.stages.size());
  for (const report::StepReport& stage : step.stages) {
    times.push_back(stage.makespan);
    mean.add(stage, each);
  }
  const Seconds makespan =
      step.repeats ? plan::time_of_round(times, step.micro_batches) : plan::time_through(times, step.micro_batches);
  const Seconds bubble = std::max(Seconds(0), makespan - mean.makespan);
  mean.makespan += bubble;
  mean.breakdown.bubble += bubble;
  mean.by_resource[static_cast<std::size_t>(chip::Resource::pipeline)] += bubble;
  mean.energy += bubble * static_power;
  return mean;
}

}  // namespace mlosim::predict
