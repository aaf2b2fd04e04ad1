// What a fused attention kernel runs on a GPU: its CTAs, the key tiles that each visits, what a visit and a CTA's ends
// take, and the bytes. Holds no time of the kernel: flash_attention.hpp prices a plan in closed form.
//
// Covers prompts and single tokens, with separate or latent keys and values. The operators' own files
// (attention_prefill, attention_decode, mla) say what the problem is.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "sim/chip/kernel.hpp"
#include "sim/chip/key_tiles.hpp"

namespace mlosim::chip {

// One query against one key of one head: a key of `key` and a value of `value` elements.
struct HeadWidth {
  std::int64_t key = 128, value = 128;
};

// Many queries a sequence.
struct FlashPrefill {
  work::OpWork work;
  QueryProblem problem;  // of one sequence and head (or group of packed heads)
  double problems = 1;
  double sharers = 1;  // problems that see the same keys and values
  HeadWidth width;
  Bytes key;     // and its value, as they are read
  Bytes cached;  // part of work.read that earlier steps left in the KV cache
  Bytes append;  // moved once by the kernel that rotates Q and K and writes K and V to the cache
  bool uses_cache = true;
  bool backward = false;  // the forward's problem, of which this is the way back: `work` is the gradients'
};

// One query a sequence.
struct FlashDecode {
  work::OpWork work;
  double problems = 1;       // sequences × KV heads
  std::int64_t queries = 1;  // query heads of a KV head
  std::int64_t keys = 1;     // that each query sees
  HeadWidth width;
  Bytes key;                  // and its value, as they are read
  Bytes cached;               // part of work.read that is KV cache
  Bytes hidden{};             // of keys and values that the window hides, for kernels that read them all the same
  std::int64_t all_keys = 1;  // with those
  bool narrow_cache = false;  // of at most 8 bits an element
};

// Query tiles are those of `problems` equal problems, in the order of count_key_tiles; `parts` CTAs share the key tiles
// of each evenly. A CTA visits its key tiles one after the other.
struct FlashPlan {
  QueryProblem problem;
  double problems = 1;
  double sharers = 1;  // problems that see the same keys and values
  Bytes key;           // and its value
  std::int64_t tile_rows = 1, tile_cols = 1;
  HeadWidth width;
  double load_share = 1;  // of a visit's keys and values that cross the shared cache; other tiles share the load
  KeyTiles keys;          // of one problem
  double parts = 1;
  bool parts_may_be_empty = false;  // such parts start and end all the same
  bool spreads_sharers = false;     // problems that share keys are not dispatched next to each other: all the others'
  std::int64_t ctas_per_unit = 1;   // that are resident together
  // A visit's times at a resident CTA's share of its unit. Products and exponentials add up.
  Seconds matrix_visit, exponential_visit;
  Seconds step;                  // latency of a visit besides: barriers, dependent loads
  bool hides_step = false;       // other work of the unit fills it
  Seconds ends;                  // of a CTA: its start and its end
  Bytes fresh;                   // written by the kernel before this one, or by this one
  Bytes cached;                  // of earlier steps
  Bytes again;                   // of those, read again by sharers whose turn comes when the keys may be gone
  Bytes appended;                // moved by the kernel that writes new keys and values to the cache, before this one
  double memory_efficiency = 1;  // of the device memory's datasheet rate
  bool in_waves = false;         // CTAs are of equal length, so that each round of them waits for the one before
  double tail = 0;               // otherwise: share of a heaviest CTA that is left over when the units run out of work
  double overlap_norm = 4;       // p of (Σ xᵖ)^(1/p), by which arithmetic and memory overlap
  Seconds fixed;                 // launches and what else comes once
  Seconds reduction;             // of the parts' results, where there are parts

  double slots(const spec::ChipSpec& chip) const {
    return static_cast<double>(chip.units) * static_cast<double>(ctas_per_unit);
  }
  double ctas() const { return problems * static_cast<double>(keys.query_tiles) * parts; }
  double waves(double slots) const { return std::ceil(ctas() / slots); }
  // Times that the units go through the keys of one part of all problems, if what runs at once shares them.
  double readings(const spec::ChipSpec& chip) const {
    return spreads_sharers ? std::clamp(ctas() / parts / slots(chip), 1.0, sharers) : 1;
  }
  Seconds visit() const { return matrix_visit + exponential_visit; }
};

// Gradients visit the same key tiles, all parts of a visit and of a CTA's ends scaled to what their products take at
// `backward_rate` of the forward's rate: the kernels of the way back go over queries for each key tile, which are as
// many visits.
//
// Short calls whose tiles leave units idle may divide the keys as decoding does: each tile's visits over that many
// units, and as many starts and ends.
FlashPlan plan_flash_prefill(const FlashPrefill& attention, const spec::AttentionPrefillParameters& parameters,
                             const KernelContext& context);

//   groups: query heads of a KV head that one CTA takes together, of each sequence: one query tile each, rounded to the
//   matrix unit's granule; parts by parts_of_keys, whose results are written and read once more
//   step of a visit: the kernel's own, and its keys and values at the rate at which one CTA gets them
FlashPlan plan_flash_decode(const FlashDecode& attention, const spec::AttentionDecodeParameters& parameters,
                            double exponential_weight, const KernelContext& context);

// Parts that the keys of each group are divided into, evened out so that all have the same number of key tiles (of a
// constant number, the last may be empty).
double parts_of_keys(double groups, double slots, double key_tiles, const spec::AttentionDecodeParameters& parameters);

}  // namespace mlosim::chip
