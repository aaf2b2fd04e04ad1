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

// t = fixed + append·passes·tb + (T_cmp⁴ + (bytes·tb)⁴)^¼,  T_cmp = max(M, N·(a·n̄ + o)/S + τ·M)
//   a: time of one key tile on a unit, rows·cols·(2·(key + value)/(rate·e) + κ/sfu): products and exponentials add up
//   n̄: key tiles of a query tile (key_tiles.hpp);  N: query tiles in all;  o: a tile's start and end
//   M: time of the heaviest tile;  τ: the part of it that is left over when the units run out of work
// Widths are padded to multiples of 32. Assumes that units get tiles in any order; wrong for kernels that do not skip
// masked tiles, and for head dimensions that a library has no kernel of its own for.
KernelPrice price_flash_prefill(const FlashPrefill& attention, const spec::AttentionPrefillParameters& parameters,
                                const KernelContext& context);

struct FlashDecode {
  work::OpWork work;
  double groups = 1;         // sequences × KV heads
  std::int64_t queries = 1;  // query heads of a KV head
  std::int64_t keys = 1;     // that each query sees
  HeadWidth width;
  Bytes cached;               // part of work.read that is KV cache
  bool narrow_cache = false;  // of at most 8 bits an element
};

// t = fixed + (T_cmp⁴ + (bytes·tb)⁴)^¼ + reduction where the keys are split,  T_cmp = max(T_c, N·T_c/slots + τ·T_c)
//   split-KV: P = ⌊slots/groups⌋ parts within [1, key tiles], evened out; N = groups·P CTAs of time T_c = o + tiles·a
//   a as above with the query heads of a KV head as rows, rounded to the matrix unit's granule
//   bytes: the operator's, and 8 bytes per element of the partial results
KernelPrice price_flash_decode(const FlashDecode& attention, const spec::AttentionDecodeParameters& parameters,
                               double exponential_weight, const KernelContext& context);

}  // namespace mlosim::chip
