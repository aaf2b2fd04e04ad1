// The time of a pipeline schedule in closed form, for analytic fidelity: what play_pipeline would say, from the times
// of its stages alone.
#pragma once

#include <span>

#include "models/plan/pipeline_program.hpp"

namespace mlosim::plan {

// From the first forward to the end of the last rank. Equal stages without messages: exact for gpipe, one_f_one_b and
// interleaved.
Seconds estimate_pipeline(const ScheduleShape& shape, std::span<const StageTimes> stages, machine::SendMode mode);

}  // namespace mlosim::plan
