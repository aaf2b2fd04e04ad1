// Cost models of systolic chips. Each plans a grid of steps (sim/tile) and takes its time from the grid's closed form,
// or from playing it by events where the context asks for that. Elementwise work in closed form: elementwise.cpp.
#pragma once

#include <optional>

#include "sim/chip/kernel.hpp"
#include "sim/tile/systolic_plan.hpp"

namespace mlosim::chip {

// fixed + the cheapest grid of blocks, or the grid of the author's blocks. Throws spec::InputError where those do not
// fit the scratchpad.
KernelPrice price_gemm_systolic(const work::Gemm& op, const KernelContext& context,
                                const std::optional<tile::SystolicTile>& tile);

enum class AttentionPhase { prefill, decode };

// attention_fixed + sequences·(decode_per_sequence + grid): sequences one after another, all cores on each. A step of a
// sequence's grid streams a block of its keys and values at decode_memory_efficiency beside its matrix work, of which
// the arrays do a share of prefill_matrix_efficiency of their rate.
KernelPrice price_attention_systolic(const work::OpWork& work, double sequences, AttentionPhase phase,
                                     const KernelContext& context);

// Experts of one rank with rows, and their rows in all.
struct GroupedRows {
  double experts = 1, rows = 1;
  work::OpWork work;
  Bytes permuted;
};
KernelPrice price_grouped_systolic(const work::MoeGemm& op, const GroupedRows& group, const KernelContext& context);

// One operator by events; for those above and for elementwise kernels, embedding and sampling.
KernelPrice play_systolic(const work::Operator& op, const KernelContext& context);

// The grid by events where the context says so, in closed form otherwise.
tile::GridTime time_grid(const tile::SystolicMachine& machine, const tile::SystolicGrid& grid,
                         const KernelContext& context);

}  // namespace mlosim::chip
