// Zero-bubble schedules whose second chunk runs back through the ranks, so that a rank holds an early and a late stage
// and all ranks keep alike many activations. Used by make_schedule.
#pragma once

#include "models/plan/pipeline_schedule.hpp"

namespace mlosim::plan {

// Qi et al. 2024, "Pipeline parallelism with controllable memory": one micro-batch's passes lie at fixed distances, and
// the block repeats every six passes (forward, input gradient and weight gradient of two chunks). The distance from
// rank to rank sets how long activations live: 1 each for v_min, 2 and 1 for v_half, 4 and 2 for v.
std::vector<std::vector<ChunkTask>> v_shaped_orders(const ScheduleShape& shape);

}  // namespace mlosim::plan
