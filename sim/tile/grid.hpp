// What a GPU kernel asks of its chip: a grid of CTAs, each a software pipeline of equal steps that load panels of the
// operands and compute on them. Plain data; sim/chip makes it of a kernel's plan, play_grids.hpp plays it.
//
// All times are at the chip's full clock. Bytes and rates are of one unit (SM, CU) unless said otherwise; a CTA of a
// cluster that shares one tile runs on `units_per_cta` units, each with its part.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "sim/units/quantity.hpp"

namespace mlosim::tile {

inline constexpr std::size_t kOperands = 2;
inline constexpr std::uint32_t kMostAhead = 8;
inline constexpr std::uint32_t kNoPanel = std::numeric_limits<std::uint32_t>::max();

// An operand as CTAs share it: panels (rows of A, rows of W, keys of a head), each cut into `slices` along the main
// loop. The first CTA that asks for a slice brings it to the caches, those after it find it there while it lasts.
struct Operand {
  std::uint32_t panels = 0;
  std::uint32_t slices = 1;
  Bytes slice;      // of one panel, at the device memory
  double warm = 0;  // share of the operand that the caches hold when the kernel starts
};

// What CTAs of one kind do. A CTA is: prologue, its steps, its end.
struct CtaKind {
  Seconds prologue;  // until the first operands are there
  // Of one step. The unit's multipliers are held for `multiply` and its loads for `load`; the CTA itself takes no less
  // than `wait` from one step to the next. What overlaps imperfectly takes longer by (Σ xᵖ)^(1/p) / max, p of Grid.
  Seconds multiply;
  Seconds wait;
  std::array<Bytes, kOperands> load{};              // into one unit
  std::array<double, kOperands> cache_share{1, 1};  // of those that cross the shared cache: below 1 with multicast
  Seconds links{};                                  // of a step of a collective: the chip's links are held for it
  Seconds epilogue;                                 // besides the stores
  Bytes store;                                      // out of one unit
  double store_missing = 1;                         // share of the stores that reaches the device memory
};

struct Cta {
  std::uint32_t kind = 0;         // index into Grid::kinds
  std::uint32_t steps = 1;        // >= 1
  std::uint32_t first_slice = 0;  // of its panels
  std::array<std::uint32_t, kOperands> panel{kNoPanel, kNoPanel};
};

struct Grid {
  std::string name;
  std::array<Operand, kOperands> operands;
  std::vector<CtaKind> kinds;
  std::vector<Cta> ctas;   // in the order of dispatch
  std::size_t period = 0;  // of their kinds, where they are not all of one
  std::int64_t units_per_cta = 1;
  std::int64_t resident = 1;  // CTAs of this kernel that fill a unit, by registers, shared memory and threads: one of
                              // them leaves the rest of the unit to other kernels, however few there are

  bool keeps_time = false;  // `wait` counts from when a step was due: a CTA that was held up makes up for it
  std::uint32_t ahead = 1;  // steps whose operands are requested before their turn, <= kMostAhead
  // Of a unit; without limit where a plan has none of its own.
  BytesPerSecond load_rate{std::numeric_limits<double>::infinity()};
  Bytes in_flight{std::numeric_limits<double>::infinity()};  // that its CTAs request ahead, all together
  BytesPerSecond store_rate{std::numeric_limits<double>::infinity()};
  double exposed_ends = 1;       // share of a CTA's prologue and end that the one after it on its unit does not hide
  double overlap_norm = 0;       // by which multipliers, loads and waits of a unit overlap; 0: perfectly
  double shared_norm = 0;        // by which they overlap with the shared cache and the device memory; 0: perfectly
  double memory_efficiency = 1;  // of the device memory's datasheet bandwidth that this kernel's access pattern draws
  double cache_efficiency = 1;   // the same of the shared caches
  double kept_share = 1;         // of the last cache's capacity that keeps panels until they are asked for again
  // Distinct bytes that the CTAs under way ask for in one step. They stream side by side, not one slice after another:
  // what is asked for within two steps counts as at hand.
  Bytes step_bytes;
  Seconds straggle;  // by which the last CTA ends later than at the pace of all
  Seconds fixed;     // launch to first CTA, and drain
  // Steps of the kernel that one step here stands for, beyond what changes no time: above 1 where the bound on events
  // made the play coarser.
  double merged_steps = 1;
};

}  // namespace mlosim::tile
