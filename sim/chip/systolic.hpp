// Cost models of systolic chips. Each plans a grid of steps (sim/tile) and takes its time from the grid's closed form,
// or from playing it by events at Fidelity::event. Elementwise work in closed form: elementwise.cpp.
#pragma once

#include <optional>

#include "sim/chip/kernel.hpp"
#include "sim/tile/systolic_plan.hpp"

namespace mlosim::chip {

// fixed + the cheapest grid of blocks, or the grid of the author's blocks. Throws spec::InputError where those do not
// fit the scratchpad.
KernelPrice price_gemm_systolic(const work::Gemm& op, const KernelContext& context, Fidelity fidelity);

enum class AttentionPhase { prefill, backward, decode };

inline AttentionPhase systolic_phase(bool backward) {
  return backward ? AttentionPhase::backward : AttentionPhase::prefill;
}

// attention_fixed + sequences·(decode_per_sequence + grid): sequences one after another, all cores on each. A step of a
// sequence's grid streams a block of its keys and values at decode_memory_efficiency beside its matrix work, of which
// the arrays do a share of prefill_matrix_efficiency of their rate, times backward_rate where it is of gradients.
KernelPrice price_attention_systolic(const work::OpWork& work, double sequences, AttentionPhase phase,
                                     const KernelContext& context, Fidelity fidelity);

// Experts of one rank with rows, and their rows in all.
struct GroupedRows {
  double experts = 1, rows = 1;
  work::OpWork work;
  Bytes permuted;
};
KernelPrice price_grouped_systolic(const work::MoeGemm& op, const GroupedRows& group, const KernelContext& context,
                                   Fidelity fidelity);

// Bandwidth-bound kernels by events: a grid of blocks of their rows.
KernelPrice play_elementwise_systolic(const work::Elementwise& op, const KernelContext& context);
KernelPrice play_embedding_systolic(const work::Embedding& op, const KernelContext& context);
KernelPrice play_sampling_systolic(const work::Sampling& op, const KernelContext& context);

// The grid in closed form, or its time by events.
tile::GridTime time_grid(const tile::SystolicMachine& machine, const tile::SystolicGrid& grid, Fidelity fidelity);

}  // namespace mlosim::chip
