// Which algorithm and protocol NCCL takes for a collective inside one node: its published predictor, as it stands.
// It is not a clock (it is 14 to 29 % off as one): sim/net/nccl_time prices what it chose.
#pragma once

#include <string_view>

#include "sim/spec/nccl_spec.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

struct NcclChoice {
  spec::NcclAlgorithm algorithm = spec::NcclAlgorithm::ring;
  spec::NcclProtocol protocol = spec::NcclProtocol::ll;
};

// "ring LL", "tree Simple", "NVLS".
std::string_view name_of(const NcclChoice& choice);

// What NCCL's predictor says: base + steps · hop + S/(bus bandwidth · n/steps), with W = channels · channel bandwidth,
// and half of the bus bandwidth for trees instead of n/steps:
//   ring: LL min(llMaxBw, 0.5 W), LL128 min(0.92 W, channels · perChMax), Simple W
//   tree: LL min(W/3.8, llMaxBw), LL128 min(7/9 W, channels · perChMax), Simple min(0.92 W, channels · perChMax), each
//   times
//         the tree correction of the size
//   NVLS: 2 · efficiency · (channels-1)/channels · W
// Source: NCCL, src/graph/tuning.cc. A broadcast adds one hop: its ring is one pipeline.
Seconds predict_nccl(const NcclChoice& choice, const work::Collective& collective, const spec::RingLibrary& library,
                     const spec::NcclGeneration& generation);

// The least prediction among what NCCL has for this collective. Trees and NVLS are for all-reduce alone; NVLS needs a
// number format that switches reduce and `least_ranks`. Ties go to the first of ring LL, LL128, Simple, tree, NVLS.
// The collective is all_reduce, all_gather, reduce_scatter or broadcast of at least two ranks.
NcclChoice choose_nccl(const work::Collective& collective, const spec::RingLibrary& library,
                       const spec::NcclGeneration& generation);

// Share of its bandwidth that a tree has by this protocol at this size, in the prediction.
double tree_correction(const spec::NcclChoiceModel& model, spec::NcclProtocol protocol, Bytes bytes);

// Whether the switches can reduce this collective.
bool reduces_in_switch(const work::Collective& collective, const spec::RingLibrary& library,
                       const spec::NcclGeneration& generation);

}  // namespace mlosim::net
