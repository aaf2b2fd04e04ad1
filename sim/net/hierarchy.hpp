// A collective over several nodes in stages: inside each node, and between those ranks of all nodes that hold the same
// part. For fabrics whose library says nothing of several nodes (xGMI, PCIe), and for torus pods on a data-centre
// network; NCCL's own way on switched fabrics is sim/net/nccl_across.
//
// With N nodes, p ranks of the group in each, h the latency of a step, A what an adapter sustains (neighbours; for an
// all-to-all, everybody to everybody) and S bytes:
//   all-reduce                  r·h·2 + 2(N-1)/N·S/(p·A)     r = log2 N, or N-1 on a ring or torus of nodes
//   all-gather, reduce-scatter  r·h + (N-1)/N·S/(p·A)
//   broadcast                   r·h + S/(p·A)
//   all-to-all                  h + (n-p)/n·crossing·S/A
//   p2p                         h + S/A
// Stages of a node's kernel overlap, chunk by chunk: the longer one counts, and the start of the other. XLA runs them
// one after the other. Source: textbook; the slice series of MaxText on v5e for the latter (training over DCN).
#pragma once

#include "sim/net/group_layout.hpp"
#include "sim/spec/scale_out.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

// Between nodes.
struct OuterStage {
  Seconds fixed;   // latencies
  Seconds volume;  // bytes at the sustained pace
  Bytes bytes;     // of one adapter
};

OuterStage outer_stage(const work::Collective& collective, const GroupLayout& layout, const spec::ScaleOut& network);

// What the ranks of a node do among themselves: the same kind, of an all-to-all what stays in the node. One rank of a
// p2p stands for nothing to do.
work::Collective inner_stage(const work::Collective& collective, const GroupLayout& layout);

}  // namespace mlosim::net
