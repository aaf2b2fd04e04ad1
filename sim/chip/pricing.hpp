// Pieces that the cost models of one operator kind share: bounds, cache residency, power. Internal to sim/chip.
#pragma once

#include <algorithm>
#include <cmath>

#include "sim/chip/kernel.hpp"

namespace mlosim::chip {

// (Σ xᵖ)^(1/p): how long resources that overlap imperfectly take together. Never below the largest, above it by at most
// the p-th root of their number. p → ∞ is perfect overlap.
inline Seconds overlap(double p, Seconds a, Seconds b, Seconds c = Seconds(0)) {
  const Seconds most = std::max({a, b, c});
  if (most <= Seconds(0)) return Seconds(0);
  // Of the largest and of nothing at all the power needs no computing.
  const auto power = [&](Seconds x) { return x == most ? 1 : x == Seconds(0) ? 0 : std::pow(x / most, p); };
  return most * std::pow(power(a) + power(b) + power(c), 1 / p);
}

inline double ceil_div(double a, double b) { return std::ceil(a / b); }

// The rate of the operator's matrix arithmetic at the highest clock; throws spec::InputError naming the chip, the
// format and the formats that it has.
FlopsPerSecond require_matrix_rate(const spec::ChipSpec& chip, work::DType arithmetic);

// Lower bounds from the operator's compulsory work. `missing` is the part of the bytes that no cache can hold: bytes
// beyond the last cache's capacity, counting what is touched between two uses.
Bounds bounds_of(const work::OpWork& work, const KernelContext& context);

// Share of a re-used footprint that is found in a cache of the given effective capacity: 1 while it fits, falling to 0
// over the next 6 % (an LRU cache that is cycled through keeps nothing).
double cyclic_hit_share(Bytes footprint, Bytes effective_capacity);

// Time below which a kernel's energy cannot be drawn at the power cap. `undisturbed` is its time at full clock: a short
// kernel may exceed the sustained cap unless the chip is in sustained use.
//   (flops·e + bytes·e_b) / ((1 − static)·cap·(1 + headroom/(1 + undisturbed/window)))
Seconds power_time(const spec::ChipSpec& chip, Joules dynamic, Seconds undisturbed, bool sustained);

// Dynamic energy of matrix work, vector work and device-memory bytes.
Joules dynamic_energy(const spec::ChipSpec& chip, const work::OpWork& work, Bytes device_bytes);

// The same by part, with the static power over the kernel's time.
EnergyByPart energy_of(const spec::ChipSpec& chip, const work::OpWork& work, Bytes device_bytes, Seconds time);

// The limiter of a kernel's main part from the times that its resources would need alone.
struct ResourceTimes {
  Seconds matrix, vector, l2, hbm, latency, power;
};
Resource limiter_of(const ResourceTimes& times);

// What the plan takes of the chip while it runs for `main`. A kernel of less than one CTA a unit leaves the others'
// units free; one of more leaves those that its last round does not fill.
ChipUse use_of(const KernelPlan& plan, const spec::ChipSpec& chip, Seconds main);

// Closes a price: raises `time` to the bounds (they hold by construction), sets limiter and energy.
KernelPrice close_price(const KernelContext& context, const work::OpWork& work, const KernelPlan& plan,
                        const ResourceTimes& times, Seconds main, Seconds overhead);

// The cost models, by operator and kind of chip. Each plans and prices.
KernelPrice price_gemm_simt(const work::Gemm& op, const KernelContext& context, Fidelity fidelity);
KernelPrice price_attention_prefill(const work::AttentionPrefill& op, const KernelContext& context, Fidelity fidelity);
KernelPrice price_attention_decode(const work::AttentionDecode& op, const KernelContext& context, Fidelity fidelity);
KernelPrice price_mla_prefill(const work::MlaPrefill& op, const KernelContext& context, Fidelity fidelity);
KernelPrice price_mla_decode(const work::MlaDecode& op, const KernelContext& context, Fidelity fidelity);
KernelPrice price_moe(const work::MoeGemm& op, const KernelContext& context, Fidelity fidelity);
KernelPrice price_elementwise(const work::Elementwise& op, const KernelContext& context);
KernelPrice price_embedding(const work::Embedding& op, const KernelContext& context);
KernelPrice price_sampling(const work::Sampling& op, const KernelContext& context);

}  // namespace mlosim::chip
