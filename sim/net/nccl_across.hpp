// NCCL between nodes: which algorithm and protocol its predictor takes, and our time of that.
//
// A group has p ranks in each of N nodes, n = pN; p adapters of a node carry it, one a rank (rails: a rank's adapter
// talks to the same one of the next node). With A the bandwidth that an adapter sustains, w the payload of a protocol,
// B the NVLink of a chip, and the symbols of nccl_time.hpp (hn: a hop between nodes):
//   ring   steps and bytes of ring_traffic; N-1 of n-1 steps are hn; pace min(f·B, p·w·A)
//   tree   2(p-1) steps inside and 2·log2 N of hn up and down; t·S over a node's adapters, 2·S inside; t = 2,
//          of two nodes 1 (a double tree's busiest node)
//   NVLS tree   in-switch reduction inside, as nccl_time has it but a share slower, beside t·S/(p·A); 2·log2 N of hn
//               where the network's own switches reduce (SHARP): S/(p·A) and two hn
//   PAT    one rank a node, all-gather and reduce-scatter: log2 N hops, and the ring's bytes
//   all-to-all  as send_receive.hpp inside; (n-p)·g·crossing/A beside ((p-1) + (n-p)·(p-1)/p)·g over NVLink, which
//               brings what came by another rank's adapter (PXN); one hn
//   pair   one hn, bytes/(f·A)
// LL and LL128 have what nccl_time.hpp has; hops and bytes overlap as there. Source: NCCL, src/graph/tuning.cc; A of
// the system. Checked: bus bandwidths of 2 x 8 H100, 4 x 8 B200, 2 x 8 and 2 x 32 GB200, sends between two nodes
// (README).
#pragma once

#include <string_view>

#include "sim/net/group_layout.hpp"
#include "sim/net/nccl_choice.hpp"
#include "sim/net/nccl_time.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

// The group's way between nodes.
struct AcrossPlace {
  GroupLayout layout;
  BytesPerSecond adapter;     // of one rank, whole
  BytesPerSecond neighbours;  // sustained by each when each node sends to its next
  BytesPerSecond exchange;    // when each sends to all
  Seconds near, far;          // of the switches between neighbours and to the farthest, besides the first one
  bool reduces_in_switch = false;
};

enum class AcrossAlgorithm { ring, tree, nvls_tree, in_network, pat };

struct AcrossChoice {
  AcrossAlgorithm algorithm = AcrossAlgorithm::ring;
  spec::NcclProtocol protocol = spec::NcclProtocol::ll;
};

// What NCCL's predictor says; ring bandwidth inside as the generation's tables have it, bounded by the group's
// adapters.
Seconds predict_across(const AcrossChoice& choice, const work::Collective& collective, const NcclPlace& place,
                       const AcrossPlace& across);

// The least prediction. all_reduce, all_gather, reduce_scatter, broadcast.
AcrossChoice choose_across(const work::Collective& collective, const NcclPlace& place, const AcrossPlace& across);

Seconds estimate_across(const AcrossChoice& choice, const work::Collective& collective, const NcclPlace& place,
                        const AcrossPlace& across);
Seconds estimate_all_to_all_across(const work::Collective& collective, const NcclPlace& place,
                                   const AcrossPlace& across);
Seconds estimate_pair_across(const work::Collective& collective, const NcclPlace& place, const AcrossPlace& across);

std::string_view name_of(const AcrossChoice& choice);

}  // namespace mlosim::net
