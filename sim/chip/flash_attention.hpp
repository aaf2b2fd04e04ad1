// The time of fused attention on a GPU, in closed form or played, from the plan of what runs (flash_plan.hpp). Used by
// the operators' own files (attention_prefill, attention_decode, mla).
#pragma once

#include "sim/chip/flash_plan.hpp"

namespace mlosim::chip {

// t = fixed + reduction + append·tb + (T_cmpᵖ + (bytes·tb)ᵖ)^(1/p),  T_cmp = max(M, (V·a + N·o)/slots + τ·M)
//   or T_cmp = ⌈N/slots⌉·M for CTAs of equal length, which start and end together
//   a: time of one visit to a key tile; V: visits in all;  N: CTAs in all;  o: a CTA's start and end
//   M: time of the heaviest CTA, with each visit's latency, which nothing else hides there
//   τ: the part of it that is left over when the units run out of work;  tb: time per byte
// Assumes that units get tiles in any order.
// Fidelity::event plays the CTAs of grid_of_flash instead (flash_grid.cpp); τ and p come out of that.
KernelPrice price_flash(const FlashPlan& plan, const work::OpWork& work, const KernelContext& context,
                        Fidelity fidelity);

// Shares of a kernel's bytes that the caches hold when it starts: cached keys and values are as warm as everything that
// is touched between two uses leaves them; the rest was written by the kernel before this one. `own`: all it touches.
struct Warmth {
  double fresh, cached;
};
Warmth warmth_of(const KernelContext& context, Bytes own);

// T_cmp alone.
Seconds compute_time(const FlashPlan& plan, double slots);

}  // namespace mlosim::chip
