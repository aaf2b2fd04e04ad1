// A routed mixture-of-experts layer on one rank: two grouped GEMMs over the experts' rows, and the permutation,
// activation and combination passes around them.
//
//   t = fixed + Σ_{up, down} ((waves·tile)⁴ + (A·N·K·e·tb)⁴)^¼ + permute·bytes·tb
//   tile  of r×128 results, r the smallest of 16, 32, 64, 128 that holds an active expert's mean rows:
//         2·r·128·K/(rate·e·(r/128)^p) + overhead
//   waves Σ_experts ⌈rows/r⌉·⌈N/128⌉ / units + tail;   A experts with a row, whose weights are read once
// The rank is the heaviest of ep (expert_load.hpp). Wrong for kernels that are tuned shape by shape.
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <vector>

#include "sim/chip/expert_load.hpp"
#include "sim/chip/pricing.hpp"
#include "sim/chip/stream.hpp"
#include "sim/chip/systolic.hpp"

namespace mlosim::chip {
namespace {

constexpr double kOverlap = 4;
constexpr std::array<std::int64_t, 4> kRowTiles{16, 32, 64, 128};  // grouped-GEMM kernels that libraries ship
constexpr std::int64_t kColumnTile = 128;
constexpr Bytes kRowElement(2);  // permuted rows and results are 16-bit

double d(std::int64_t n) { return static_cast<double>(n); }

struct RankLoad {
  double rows = 0;
  double active = 0;  // experts with a row
  std::int64_t row_tile = kRowTiles.front();
  double row_tiles = 0;
};

RankLoad rank_load(const work::MoeGemm& op) {
  RankLoad rank;
  const std::vector<ExpertLoad> loads = heaviest_rank_loads(op);
  for (const ExpertLoad& load : loads) {
    if (load.tokens <= 0) continue;
    rank.rows += load.experts * load.tokens;
    rank.active += load.experts;
  }
  const double mean = rank.rows / rank.active;
  rank.row_tile =
      *std::find_if(kRowTiles.begin(), std::prev(kRowTiles.end()), [&](std::int64_t rows) { return d(rows) >= mean; });
  for (const ExpertLoad& load : loads) rank.row_tiles += load.experts * std::ceil(load.tokens / d(rank.row_tile));
  return rank;
}

// The work of the heaviest rank: what the bounds and the energy are counted from.
work::OpWork work_of_rank(const work::MoeGemm& op, const RankLoad& rank) {
  work::OpWork work = work::work_of(op);
  const double even_rows = d(op.tokens) * d(op.topk) / d(op.ep);
  const double width = d(op.inter) / d(op.tp), matrices = op.gated ? 3 : 2;
  work.matrix = work.matrix * (rank.rows / even_rows);
  work.vector = work.vector * (rank.rows / even_rows);
  work.exponentials *= rank.rows / even_rows;
  const Bytes weights = rank.active * d(op.hidden) * width * matrices * work::bytes_per_element(op.weights);
  work.read += weights - work.weights;
  work.weights = weights;
  return work;
}

// Rows gathered and written in expert order, up and down results in and out, tokens read and combined.
Bytes permuted_bytes(const work::MoeGemm& op, const RankLoad& rank) {
  const double width = d(op.inter) / d(op.tp);
  const double up = op.gated ? 2 * width : width;
  return kRowElement *
         (4 * rank.rows * d(op.hidden) + rank.rows * (2 * up + 2 * width) + 2 * d(op.tokens) * d(op.hidden));
}

struct GroupedGemm {
  double columns = 1, depth = 1;
};

KernelPrice price_moe_simt(const work::MoeGemm& op, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const spec::MoeParameters& parameters = chip.moe;
  const RankLoad rank = rank_load(op);
  const work::OpWork work = work_of_rank(op, rank);
  const double units = d(chip.units), width = d(op.inter) / d(op.tp);
  const bool narrow = work::bytes_per_element(work.matrix_dtype) <= Bytes(1);
  const double efficiency = (narrow ? parameters.matrix_efficiency_8bit : parameters.matrix_efficiency) *
                            std::pow(d(rank.row_tile) / d(kColumnTile), parameters.narrow_exponent);
  const FlopsPerSecond unit_rate = require_matrix_rate(chip, work.matrix_dtype) / units;

  const Bytes permuted = permuted_bytes(op, rank);
  const double weight_hit = resident_share(chip, work.weights + permuted + context.operands.between_uses);
  const double row_hit = resident_share(chip, permuted);

  KernelPlan plan;
  plan.tile_m = rank.row_tile;
  plan.tile_n = kColumnTile;
  plan.tiles = 0;
  ResourceTimes times{};
  Seconds main;
  for (const GroupedGemm& gemm :
       {GroupedGemm{op.gated ? 2 * width : width, d(op.hidden)}, GroupedGemm{d(op.hidden), width}}) {
    const double tiles = rank.row_tiles * std::ceil(gemm.columns / d(kColumnTile));
    const Seconds multiply = Flops(2 * d(rank.row_tile * kColumnTile) * gemm.depth) / (unit_rate * efficiency);
    const Seconds tile = multiply + parameters.tile_overhead / chip.clock;
    const Seconds compute = std::max(1.0, tiles / units + parameters.tail) * tile;
    const Bytes weights = rank.active * gemm.columns * gemm.depth * work::bytes_per_element(op.weights);
    const Seconds memory = stream_time(chip, weights, weight_hit, parameters.memory_efficiency);
    main += overlap(kOverlap, compute, memory);
    times.matrix += tiles / units * multiply;
    times.latency += compute - tiles / units * multiply;
    times.hbm += memory;
    plan.tiles += tiles;
  }
  const Seconds permute =
      stream_time(chip, permuted * parameters.permute_passes, row_hit, chip.device_memory().efficiency);
  main += permute;
  times.hbm += permute;

  plan.waves = std::ceil(plan.tiles / units);
  plan.active_units = std::min(plan.tiles, units);
  plan.kernels = 5;  // permute, up, activation, down, combine
  plan.shared_cache = work.weights + permuted;
  const Bytes device = work.weights * (1 - weight_hit) + permuted * (1 - row_hit);
  plan.device_written = permuted * (1 - row_hit) / 2;
  plan.device_read = device - plan.device_written;

  const Seconds power = power_time(chip, dynamic_energy(chip, work, device), main, context.sustained);
  if (power > main) times.power = power;
  return close_price(context, work, plan, times, std::max(main, power), parameters.fixed);
}

}  // namespace

KernelPrice price_moe(const work::MoeGemm& op, const KernelContext& context) {
  if (context.chip.kind == spec::ChipKind::simt) return price_moe_simt(op, context);
  const RankLoad rank = rank_load(op);
  return price_grouped_systolic(
      op,
      {.experts = rank.active, .rows = rank.rows, .work = work_of_rank(op, rank), .permuted = permuted_bytes(op, rank)},
      context);
}

}  // namespace mlosim::chip
