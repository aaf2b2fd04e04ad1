// The order of DualPipe: micro-batches enter a pipeline at both ends, and a rank overlaps the forward of one direction
// with the backward of the other. Used by make_schedule.
#pragma once

#include "models/plan/pipeline_schedule.hpp"

namespace mlosim::plan {

// As DeepSeek's own (github.com/deepseek-ai/DualPipe, dualpipe.py): eight phases. Chunk 0 of a rank serves the first
// half of the micro-batches, which run from rank 0 up; chunk 1 the second half, from the last rank down.
std::vector<ChunkTask> bidirectional_order(const ScheduleShape& shape, std::int64_t rank);

}  // namespace mlosim::plan
