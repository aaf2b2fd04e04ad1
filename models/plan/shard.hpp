// The part of one operator that one rank of a group works on. Internal to models/plan.
#pragma once

#include "models/graph/graph.hpp"
#include "models/plan/parallelism.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::plan {

// Uneven cuts are rounded up: the slowest rank is the one that counts.
work::Operator shard(const graph::GraphNode& node, const Parallelism& parallelism);

// A rank's part of a pass's rows.
void cut_rows(work::Elementwise& pass, std::int64_t ways);

}  // namespace mlosim::plan
