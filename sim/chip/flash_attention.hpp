// Fused attention on a GPU, prompts and single tokens, with separate or latent keys and values. The operators' own
// files (attention_prefill, attention_decode, mla) say what the problem is; the two formulas stand here.
#pragma once

#include <cstdint>

#include "sim/chip/kernel.hpp"
#include "sim/chip/key_tiles.hpp"

namespace mlosim::chip {

// One query against one key of one head: a key of `key` and a value of `value` elements.
struct HeadWidth {
  std::int64_t key = 128, value = 128;
};

struct FlashPrefill {
  work::OpWork work;
  QueryProblem problem;  // of one sequence and head (or group of packed heads)
  double problems = 1;
  HeadWidth width;
  Bytes cached;  // part of work.read that earlier steps left in the KV cache
  Bytes append;  // moved once by the kernel that rotates Q and K and writes K and V to the cache
  bool uses_cache = true;
};

// t = fixed + append·passes·tb + (T_cmpᵖ + (bytes·tb)ᵖ)^(1/p),  T_cmp = max(M, N·(a·n̄ + o)/S + τ·M)
//   a: time of one key tile on a unit, rows·cols·(2·(key + value)/(rate·e) + κ/sfu): products and exponentials add up
//   n̄: key tiles of a query tile (key_tiles.hpp);  N: query tiles in all;  o: a tile's start and end
//   M: time of the heaviest tile, a + step for each key tile, since nothing else hides the step's latency
//   τ: the part of it that is left over when the units run out of work
// Short calls whose tiles leave units idle may divide the keys as decoding does: each tile's visits over that many
// units, and as many starts and ends. Assumes that units get tiles in any order.
KernelPrice price_flash_prefill(const FlashPrefill& attention, const spec::AttentionPrefillParameters& parameters,
                                const KernelContext& context);

struct FlashDecode {
  work::OpWork work;
  double problems = 1;       // sequences × KV heads
  std::int64_t queries = 1;  // query heads of a KV head
  std::int64_t keys = 1;     // that each query sees
  HeadWidth width;
  Bytes cached;               // part of work.read that is KV cache
  Bytes hidden{};             // of keys and values that the window hides, for kernels that read them all the same
  std::int64_t all_keys = 1;  // with those
  bool narrow_cache = false;  // of at most 8 bits an element
};

// t = fixed + (T_cmpᵖ + (bytes·tb)ᵖ)^(1/p) + reduction where the keys are split,  T_cmp = max(T_c, N·T_c/slots + τ·T_c)
//   groups: query heads of a KV head that one CTA takes together, of each sequence
//   split-KV: P parts of the keys (parts_of_keys); N = groups·P CTAs of time T_c = o + tiles·(a + step)
//   a as above with a group's query heads as rows, rounded to the matrix unit's granule
//   bytes: the operator's, and 8 bytes per element of the partial results
// Parts that the keys of each group are divided into, evened out so that all have the same number of key tiles.
double parts_of_keys(double groups, double slots, double key_tiles, const spec::AttentionDecodeParameters& parameters);

KernelPrice price_flash_decode(const FlashDecode& attention, const spec::AttentionDecodeParameters& parameters,
                               double exponential_weight, const KernelContext& context);

}  // namespace mlosim::chip
