// Kernels of a GPU played tile by tile: how finely, and what a play says as a KernelPrice. Internal to sim/chip; the
// grids are made where the operators' plans are (gemm_grid.cpp and its like), played by sim/tile.
#pragma once

#include "sim/chip/gemm_simt.hpp"
#include "sim/chip/kernel.hpp"
#include "sim/tile/play_grids.hpp"

namespace mlosim::chip {

// What bounds the cost of a play, and the rates that a grid's efficiencies relate to.
struct PlayLimits {
  static constexpr double kMostSteps = 16;  // of a CTA: more change no time by a percent

  explicit PlayLimits(const KernelContext& context);

  // Steps of the main loop of each of so many CTAs: fewer and coarser ones where there are many.
  double steps_of(double ctas) const;

  double events = 0;
  double memory_rate = 0, cache_rate = 0;  // B/s, datasheet
};

// What is known of a kernel beside its grid.
struct PlayedKernel {
  const work::OpWork& work;
  KernelPlan plan;          // device bytes are taken from the play
  Seconds more;             // of kernels around it: quantiser, reduction
  double overlap_norm = 0;  // by which a power cap and the rest overlap
};

// Plays the grid alone on the chip and closes its price: launch, power cap and bounds included.
KernelPrice play_kernel(const tile::Grid& grid, const PlayedKernel& kernel, const KernelContext& context);

tile::Grid grid_of_gemm(const GemmProblem& p, const GemmLayout& layout, const PlayLimits& limits);

}  // namespace mlosim::chip
