// Kernels of a GPU played tile by tile: how finely, and what a play says as a KernelPrice. Internal to sim/chip; the
// grids are made where the operators' plans are (gemm_grid.cpp and its like), played by sim/tile.
#pragma once

#include <algorithm>
#include <vector>

#include "sim/chip/flash_plan.hpp"
#include "sim/chip/gemm_simt.hpp"
#include "sim/chip/kernel.hpp"
#include "sim/chip/moe.hpp"
#include "sim/tile/play_grids.hpp"

namespace mlosim::chip {

// What bounds the cost of a play, and the rates that a grid's efficiencies relate to.
struct PlayLimits {
  static constexpr double kMostSteps = 16;  // of a CTA: more change no time by a percent

  static constexpr double kMostCtas =
      2e6;  // that are listed one by one: thousands of waves are as good as a closed form

  explicit PlayLimits(const KernelContext& context);

  // Steps of the main loop of each of so many CTAs: fewer and coarser ones where there are many.
  double steps_of(double ctas) const;
  // How many times as long a step is that way than it need be, of a CTA that has `steps` and plays `played`.
  static double merged(double steps, double played) { return std::max(1.0, std::min(steps, kMostSteps) / played); }

  static bool can_list(double ctas) { return ctas <= kMostCtas; }

  double events = 0;
  double memory_rate = 0, cache_rate = 0;  // B/s, datasheet
};

// Whether a play is of use: it counts picoseconds and lists units, so that sizes and rates that nobody can mean keep
// their closed form.
bool can_be_played(const KernelPrice& closed, const KernelContext& context);

// Of a CTA's time that is left over on average when units run out of equal CTAs. A kernel whose fitted tail is longer
// has CTAs that are slower than the others: the grid ends that much later.
inline constexpr double kUnevenWaves = 0.5;

// What is known of a kernel beside its grid.
struct PlayedKernel {
  work::OpWork work;
  KernelPlan plan;          // device bytes are taken from the play
  Seconds more;             // of kernels around it: quantiser, reduction
  double overlap_norm = 0;  // by which a power cap and the rest overlap
};

// Plays the grids alone on the chip, one after the other, and closes the price: launch, power cap and bounds included.
KernelPrice play_kernel(const std::vector<tile::Grid>& grids, const PlayedKernel& kernel, const KernelContext& context);

tile::Grid grid_of_gemm(const GemmProblem& p, const GemmLayout& layout, const KernelContext& context);
tile::Grid grid_of_flash(const FlashPlan& plan, const KernelContext& context);
// The grid of one of the two grouped products.
tile::Grid grid_of_experts(const GroupedPlan& plan, const GroupedGemm& gemm, const KernelContext& context);

}  // namespace mlosim::chip
