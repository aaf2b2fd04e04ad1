// A routed expert layer on one rank of a GPU as its library runs it: the tiles of two grouped products and the passes
// over rows around them. The plan alone; moe.cpp prices it in closed form. Systolic chips have no such plan.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/chip/expert_load.hpp"
#include "sim/chip/kernel.hpp"

namespace mlosim::chip {

// What the heaviest rank has to do.
struct RankLoad {
  std::vector<ExpertLoad> loads;  // of experts with a row, the most popular first
  double rows = 0;
  double active = 0;  // experts with a row

  double mean() const { return rows / active; }
};

RankLoad rank_load(const work::MoeGemm& op);

// The work of that rank: what the bounds and the energy are counted from.
work::OpWork work_of_rank(const work::MoeGemm& op, const RankLoad& rank);

// Bytes of the passes around the products, for `rows` rows. Forward: rows gathered and written in expert order, up and
// down results in and out, tokens read and combined; of that, `up` ends with the activation's result. The way back is
// the same with the activation's inputs read once more. Weight gradients have none: their operands are in order.
Bytes permuted_bytes(const work::MoeGemm& op, double rows);

// One product of every expert: its rows times its own matrix of `depth`×`columns`, or, where `rows` is given, as many
// rows of its weights' gradient, `depth` tokens deep. An expert of n rows has ⌈n/row_tile⌉ row tiles of `column_tiles`
// CTAs each.
struct GroupedGemm {
  double columns = 1, depth = 1;
  std::optional<double> rows;
  double column_tiles = 1;
  double tiles = 0;   // CTAs of all experts
  Seconds main_loop;  // of one CTA, with its operands at hand
  Seconds ends;       // prologue and epilogue of a CTA
  Bytes weights;      // of all experts with a row; of a gradient, its operands and itself, read and written
  Bytes shared;  // of those, what the CTAs of a column read each: weights; of a gradient, the operand of its columns
};

// The sides of an expert's products, in the order in which they run: `rows` is given of weight gradients alone.
struct ExpertProduct {
  double columns = 1, depth = 1;
  std::optional<double> rows;
};
std::vector<ExpertProduct> products_of(const work::MoeGemm& op, double mean_rows);

inline constexpr double kExpertOverlap = 4;  // p of (Σ xᵖ)^(1/p), by which products and the weights' stream overlap

struct GroupedPlan {
  RankLoad rank;
  work::OpWork work;
  std::int64_t row_tile = 1, column_tile = 1;
  std::vector<GroupedGemm> gemms;  // one after the other: up (and gate), down; on the way back, down, up
  double tail = 0;                 // tiles' times left over when the units run out of them
  double memory_efficiency = 1;    // of the weights' stream
  double weight_hit = 0;           // share of the weights found in the cache
  Bytes permuted;                  // of the passes before, between and after the products
  double passes = 1;               // over those bytes
  double row_hit = 0;              // share of them found in the cache
  Seconds fixed;                   // launches, routing, sorting
  int launches = 1;
};

// `reach` and the other sizes choose among the library's kernels (KernelContext.kernel names one that ran). Throws
// spec::InputError where the chip has no arithmetic for the operator's format.
GroupedPlan plan_moe(const work::MoeGemm& op, const KernelContext& context);

}  // namespace mlosim::chip
