// Parameters of fused attention kernels on a GPU, as `attention:` of a chip's family and of a runtime gives them; the
// formulas stand in sim/chip/flash_plan.hpp and sim/chip/flash_attention.hpp. Used by the cost models of attention and
// latent attention.
//
// "clk" is a count of core clocks of one unit (SM, CU).
#pragma once

#include <cstdint>
#include <optional>

#include "sim/spec/kernel_choice.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::spec {

// Many queries a sequence.
struct AttentionPrefillParameters {
  Seconds fixed;                 // of a causal call, the KV-append kernel included
  Seconds fixed_encoder;         // of a call without KV cache
  double matrix_efficiency = 1;  // 16-bit operands
  double matrix_efficiency_8bit = 1;
  double exponential_weight = 1;  // exponentials' time that adds to the multiplications' (0 = hidden)
  double tile_overhead = 0;       // clk at the start and end of a query tile
  double key_step = 0;            // clk of a key tile that other tiles of the unit hide: barriers, loads
  double tail = 0;                // share of a heaviest tile that is left over at the end
  std::int64_t tile_rows = 128, tile_cols = 64;
  std::int64_t load_rows = 0;       // query rows for which keys and values are loaded once: the tiles of a CTA's groups
                                    // of warps; no less than tile_rows
  double append_passes = 1;         // of the RoPE and KV-append bytes
  double backward_rate = 1;         // of the gradients' products, over the rate of the forward's
  std::int64_t packed_queries = 0;  // calls of at most as many put all query heads of a KV head in one tile
  std::int64_t width_granule = 32;  // head dimensions are padded to a multiple of it
  std::int64_t split_queries = 0;   // calls of at most as many divide the keys where query tiles leave units idle
  double overlap_norm = 4;          // p of (Σ xᵖ)^(1/p), by which arithmetic and memory overlap
  bool absorbed = false;            // latent attention alone: works on the latent rows
  bool skips_window = true;         // leaves out keys that the window hides
};

// How the keys of one group are divided over CTAs.
enum class KeySplit {
  none,       // one CTA each
  fill,       // as many parts as the units hold
  efficient,  // the fewest parts within 15 % of the fullest last wave (FlashAttention)
  constant,   // `parts`, empty ones too (Triton's decoding, whose grid is laid out before lengths are known)
  waves,  // as many as `waves` rounds of the units take and no more than √(waves · most), by all keys: those that a
          // window hides leave empty ones (XQA)
};

// In which order a grid numbers its CTAs, and so dispatches them.
enum class GridOrder {
  heads,      // those of one sequence next to each other: what shares keys runs together
  sequences,  // all sequences for one group of heads, then for the next (Triton's decoding): keys are read again
};

// One query a sequence.
struct AttentionDecodeParameters {
  Seconds fixed;
  double matrix_efficiency = 1;
  double tile_overhead = 0;  // clk of a CTA's start and end
  double key_step = 0;       // clk of a key tile besides its arithmetic: dependent loads, reductions, barriers
  Bytes stream_rate{};       // per clk, at which the keys and values of a CTA come; 0 = no limit
  Seconds split_reduction;
  // Of a CTA's time, left over when the units run out of work; none: CTAs start and end together, round by round.
  std::optional<double> tail = std::nullopt;
  double memory_efficiency = 1;   // of the device memory's datasheet rate on KV streams
  std::int64_t row_granule = 16;  // rows that query heads of one KV head are rounded to
  std::int64_t tile_cols = 64;
  std::int64_t ctas_per_unit = 1;
  std::int64_t heads_per_cta = 0;  // query heads that one CTA takes at most; 0 = all of a KV head
  KeySplit split = KeySplit::fill;
  std::int64_t part_tiles = 1;  // key tiles that a part has at least
  std::int64_t parts = 8;       // of KeySplit::constant
  std::int64_t waves = 8;       // of KeySplit::waves
  GridOrder order = GridOrder::heads;
  std::int64_t width_granule = 32;
  double overlap_norm = 4;
  bool skips_window = true;
  // Of the kernel for caches of at most 8 bits, where it is another one.
  std::optional<Seconds> fixed_8bit = std::nullopt;
  std::optional<double> tile_overhead_8bit = std::nullopt;
};

Kernels<AttentionPrefillParameters> decode_attention_prefill(Node node);
Kernels<AttentionDecodeParameters> decode_attention_decode(Node node);

}  // namespace mlosim::spec
