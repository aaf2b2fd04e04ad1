// GEMM on a GPU: the problem as its plans see it, one plan's time in closed form, and the search for the plan that the
// library would take. Internal to sim/chip; gemm_grid.cpp makes CTAs for the tile player of the chosen plan.
//
// C[m,n] = A[m,k]·W[n,k]ᵀ, `batch` copies. A tile of tile_n rows of W and tile_m rows of A is worked on by one unit (or
// a pair); T tiles times S splits make the grid, c of them on the busiest unit, `resident` at once, in r rounds.
//   main  = unit ‖ L2 ‖ HBM ‖ power           (‖: overlap norm, pricing.hpp)
//   unit  = (c·matrix ‖ c·load ‖ r·k-steps) + (r−1)·exposed·(prologue + epilogue)
//   time  = fixed + prologue + epilogue + main + [S>1] split reduction + quantiser
// load is Little's law per unit: bytes in flight over latency, capped. Source: our own study of measured bf16 GEMMs on
// A100, H100, B200 and L40S; plan choice, CTA ends and waves explain most there, in that order. Wrong where: GEMV
// kernel families switch by shape (m = 1), library heuristics that leave split-K out, operands between 0.5 and 0.8 of a
// partitioned L2.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "sim/chip/kernel.hpp"

namespace mlosim::chip {

inline constexpr double kStepBytes = 128;  // of k per row that one main-loop step consumes

// The operator and what does not depend on the plan. In bytes, seconds and clocks.
struct GemmProblem {
  const spec::GemmParameters& g;  // of the operator's format
  double batch = 0, m = 0, n = 0, k = 0;
  double ea = 0, ew = 0, eo = 0;                    // bytes per element of A, W, C
  double chunk = 0;                                 // elements of k per granule of k
  double weights = 0, activations = 0, output = 0;  // bytes
  double hit_a = 0, hit_w = 0;                      // shares found in the last cache
  double flops_per_clk = 0;                         // of one unit
  double clock = 0;                                 // Hz
  double l2_rate = 0, hbm_rate = 0;                 // B/s, efficiency included
  double l2_latency = 0, hbm_latency = 0;           // clk
  double far_rate = 0;                              // B/s of all bytes, by the link between the cache's partitions
  double scratchpad = 0;                            // bytes for stages
  double stages = 0;                                // steps that a CTA requests ahead
  bool may_multicast = true;
  double half_cache = 0;  // bytes: an operand below it is read once
  double units = 0;
  Joules matrix_energy{};

  double chunks() const { return std::ceil(k / chunk); }
};

// Throws spec::InputError where the chip has no arithmetic for the operator's formats.
GemmProblem pose_gemm(const work::Gemm& op, const KernelContext& context);

// One way to run it. `vector_rows` > 0 is a matrix-vector kernel, of which a CTA takes as many rows of W.
struct GemmLayout {
  spec::GemmTile tile;
  double split = 1;
  double vector_rows = 0;

  double grid_m = 1, grid_n = 1;  // tiles
  double ctas = 1, per_unit = 1;
  double active = 1;              // units with a CTA
  double resident = 1;            // CTAs that a unit holds at once
  double rounds = 1;              // of resident CTAs
  double k_tile = 0;              // elements of k of one CTA
  double wave_m = 1, wave_n = 1;  // tiles of the block that a wave covers
  bool w_streams = true;          // the waves go along n, and W is read again by each band of m; or else along m
  double passes = 1;              // bands, where the operand that streams does not stay in the cache
};

GemmLayout lay_out(const GemmProblem& p, const spec::GemmTile& tile, double split);
GemmLayout lay_out_vector(const GemmProblem& p, double rows);

// What one CTA takes of its unit, alone. In clocks and bytes.
struct GemmCta {
  double multiply = 0;              // clk of its multipliers
  double wait = 0;                  // clk of its k steps
  double load_w = 0, load_a = 0;    // bytes into one unit
  double share_w = 1, share_a = 1;  // of those that cross the shared cache: less with multicast
  double in_flight = 0;             // bytes that it requests ahead
  double store = 0;                 // bytes out of one unit
};

GemmCta cta_of(const GemmProblem& p, const GemmLayout& layout);

// Seconds by part, for one plan.
struct GemmCost {
  double matrix = 0, load = 0, steps = 0, l2 = 0, hbm = 0, power = 0;
  double main = 0, prologue = 0, epilogue = 0, reduction = 0;
  double read = 0, written = 0, l2_bytes = 0;

  double ends() const { return prologue + epilogue; }
  double total() const { return main + ends() + reduction; }
};

// Closed form; gives up, with a time that is not below `limit`, once it cannot win.
GemmCost estimate_gemm(const GemmProblem& p, const GemmLayout& layout, const KernelContext& context,
                       double limit = std::numeric_limits<double>::infinity());

// Adding up the partial results of a split-K plan, which are fp32.
double reduction_time(const GemmProblem& p, double split);

// No plan takes less: each operand moves once, and no more than all units multiply.
double least_time(const GemmProblem& p);

// Bytes and energy of the main part, at which the clock is under the power cap no faster than this.
double power_limited(const GemmProblem& p, const KernelContext& context, double device_bytes, double undisturbed);

struct GemmChoice {
  GemmLayout layout;
  GemmCost cost;
  double preference = std::numeric_limits<double>::infinity();  // what the library compares
};

// The plan that the library would take, or what the operator's own plan asks for. Throws spec::InputError where that
// does not fit the chip.
GemmChoice plan_gemm(const work::Gemm& op, const GemmProblem& p, const KernelContext& context);

// The `count` plans that the library would like best, best first, one of each tile and split.
std::vector<GemmChoice> best_gemm_plans(const work::Gemm& op, const GemmProblem& p, const KernelContext& context,
                                        std::size_t count);

// What tables say of a plan.
KernelPlan describe_gemm(const work::Gemm& op, const GemmProblem& p, const GemmChoice& choice);

// The price of a plan.
KernelPrice price_gemm_plan(const work::Gemm& op, const GemmProblem& p, const GemmChoice& choice,
                            const KernelContext& context, Fidelity fidelity);

// Time of the dynamic quantisation of A, where the operator has one.
Seconds quantiser_time(const work::Gemm& op, const GemmProblem& p, const KernelContext& context);

}  // namespace mlosim::chip
