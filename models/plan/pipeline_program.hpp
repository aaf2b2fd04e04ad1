// A pipeline schedule with times put in: what sim/machine plays.
#pragma once

#include <span>

#include "models/plan/pipeline_schedule.hpp"
#include "sim/machine/play_pipeline.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::plan {

// Of one micro-batch in one stage.
struct StageTimes {
  Seconds forward, input_gradient, weight_gradient;  // recomputation belongs to input_gradient
  Seconds overlapped{};       // of a forward and a backward that run as one (dualpipe); zero: their sum
  Seconds send_activation{};  // message to the stage after
  Seconds send_gradient{};    // message to the stage before

  Seconds backward() const { return input_gradient + weight_gradient; }
};

// `stages`: shape.stages() of them. Task first[r] + i of the program is order[r][i] of the schedule. `pairs_sends`:
// in the steady phase of `interleaved` the messages of a forward and the backward after it leave together, as
// Megatron sends them where it does not overlap them.
machine::Pipeline build_pipeline(const Schedule& schedule, std::span<const StageTimes> stages,
                                 bool pairs_sends = false);

}  // namespace mlosim::plan
