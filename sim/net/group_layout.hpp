// Where the ranks of a group stand: how many share a node (NVLink domain, pod), and how many nodes they are in.
//
// Ranks r0 + i·stride. A group either fits into one node, or has one rank in each of several nodes, or an equal number
// in each: where it does not fill whole nodes evenly, the job is taken to use equal blocks of chips of each node (64 of
// an NVLink domain's 72), as large as the group can be cut into.
#pragma once

#include <cstdint>

#include "sim/spec/system_spec.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

struct GroupLayout {
  std::int64_t per_node = 1;  // ranks of the group in each node
  std::int64_t nodes = 1;
  std::int64_t node_step = 1;  // nodes from one node of the group to its next
};

// Throws InputError where the group fits neither way, or where there is no network beyond the node.
GroupLayout place_group(const work::Collective& collective, const spec::SystemSpec& system);

}  // namespace mlosim::net
