// Cost models of systolic chips: matrix work in passes over the arrays, operands streamed from the device memory to the
// scratchpad ahead of them, attention by its measured grid. Elementwise work: elementwise.cpp.
#pragma once

#include "sim/chip/kernel.hpp"

namespace mlosim::chip {

// One matrix product, `copies` times with operands of their own.
struct ArrayProduct {
  double m = 1, n = 1, k = 1;
  double copies = 1;
  work::DType arithmetic = work::DType::bf16;
};

// An array holds an R×C block of one operand and takes a row of the other a clock, no fewer than the R rows during
// which the next block shifts in. ⌈k/R⌉·⌈n/C⌉ passes of m rows, or ⌈k/R⌉·⌈m/C⌉ of n rows, whichever takes less, with
// passes or rows shared out over all arrays; fill and drain (R + C − 2 + fill) once. m is padded to the vector
// register's tile (8, 16, 32 for 4-, 2-, 1-byte elements), n to its 128 lanes.
Seconds array_time(const spec::ChipSpec& chip, const ArrayProduct& product);

// Bytes of a blocked product at the device memory: the operands that do not fit the scratchpads beside the
// double-buffered stream are read again for each block of the other. The least of three orders: rows of A stay, rows of
// W stay, or a block of the result stays.
struct BlockedTraffic {
  Bytes read, written;
  double blocks_m = 1, blocks_n = 1;
};
struct OperandBytes {
  Bytes a, w, c;    // in all
  Bytes c_element;  // of the accumulated result, in the scratchpad
};
BlockedTraffic blocked_traffic(const spec::ChipSpec& chip, const ArrayProduct& product, const OperandBytes& operands);

enum class AttentionPhase { prefill, decode };

// attention_fixed + sequences·decode_per_sequence + matrix/(e·rate) or bytes/(e·B): grid over the sequences.
KernelPrice price_attention_systolic(const work::OpWork& work, double sequences, AttentionPhase phase,
                                     const KernelContext& context);

// Experts of one rank with rows, and their rows in all.
struct GroupedRows {
  double experts = 1, rows = 1;
  work::OpWork work;
  Bytes permuted;
};
KernelPrice price_grouped_systolic(const work::MoeGemm& op, const GroupedRows& group, const KernelContext& context);

}  // namespace mlosim::chip
