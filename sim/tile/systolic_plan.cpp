#include "sim/tile/systolic_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/spec/diagnostics.hpp"
#include "sim/units/check.hpp"

namespace mlosim::tile {
namespace {

constexpr Bytes kAccumulator(4);     // fp32, beside the blocks where the depth is cut
constexpr double kLanes = 128;       // granule of columns and depth
constexpr double kFinestEdge = 256;  // of a block, where the operand is not smaller itself
constexpr double kLongestEdge = 4096;

double d(std::int64_t n) { return static_cast<double>(n); }

double round_up(double x, double granule) { return std::ceil(x / granule) * granule; }

// One core's part of the product.
struct CorePart {
  ArrayProduct product;
  CoreShare share = CoreShare::rows;
  double busy = 1;  // of the copies that the grid counts, where they are not a multiple of the cores
};

std::vector<CorePart> parts_of_product(const SystolicMachine& machine, const ArrayProduct& product) {
  const double cores = d(machine.cores);
  const auto part = [&](CoreShare share) {
    CorePart p{.product = product, .share = share};
    ArrayProduct& own = p.product;
    if (share == CoreShare::rows) own.m = std::ceil(product.m / cores);
    if (share == CoreShare::columns) own.n = std::ceil(product.n / cores);
    if (share == CoreShare::copies) own.copies = product.copies / cores;
    p.busy = own.copies / std::ceil(own.copies);
    return p;
  };
  if (cores <= 1) return {part(CoreShare::rows)};
  std::vector<CorePart> parts{part(CoreShare::rows), part(CoreShare::columns)};
  if (product.copies >= cores) parts.push_back(part(CoreShare::copies));
  return parts;
}

// Edges of blocks worth trying: whole fractions of the operand and powers of two.
std::vector<std::int64_t> edges_of(double size, double granule, double finest) {
  const double whole = round_up(size, granule);
  std::vector<std::int64_t> edges;
  const auto add = [&](double edge) {
    if (edge <= whole && edge >= std::min(finest, whole)) edges.push_back(static_cast<std::int64_t>(edge));
  };
  for (const double parts : {1, 2, 3, 4, 6, 8, 12, 16, 32}) add(round_up(size / parts, granule));
  for (double edge = finest; edge <= kLongestEdge; edge *= 2) add(edge);
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return edges;
}

// How many blocks there are along each side.
struct GridShape {
  double m, n, k;
  GridOrder order;

  bool cuts_depth() const { return k > 1; }
};

GridShape shape_of(const ArrayProduct& p, const SystolicTile& tile, GridOrder order) {
  return {.m = std::ceil(p.m / d(tile.m)),
          .n = std::ceil(p.n / d(tile.n)),
          .k = std::ceil(p.k / d(tile.k)),
          .order = order};
}

// Bytes of a core's scratchpad: what streams has its buffers, what is fetched once has one.
Bytes room_of(const SystolicMachine& machine, const ArrayProduct& p, const SystolicTile& tile, const GridShape& shape) {
  const double m = round_up(d(tile.m), p.row_granule), n = d(tile.n), k = d(tile.k);
  const double copies = std::ceil(p.copies);
  const auto buffers = [&](double blocks) { return copies * blocks > 1 ? d(machine.buffers) : 1; };
  return buffers(shape.m * shape.k) * (m * k * p.a) + buffers(shape.n * shape.k) * (k * n * p.w) +
         buffers(shape.m * shape.n) * (m * n * p.c) + (shape.cuts_depth() ? m * n * kAccumulator : Bytes(0));
}

// The steps of one core. Blocks at the edges are smaller: bytes are those of the mean block, so that the totals hold.
SystolicGrid grid_of(const SystolicMachine& machine, const CorePart& part, const GridShape& shape, double block_clk) {
  const ArrayProduct& p = part.product;
  const Bytes rows = part.busy * (p.m * p.k * p.a) / (shape.m * shape.k);
  const Bytes columns = part.busy * (p.k * p.n * p.w) / (shape.k * shape.n);
  const Bytes result = part.busy * (p.m * p.n * p.c) / (shape.m * shape.n);
  const auto step = [&](Bytes in, Bytes out) {
    return SystolicStep{.in = in, .out = out, .scalar = machine.step, .matrix = block_clk};
  };
  const auto count = [](double n) { return static_cast<std::int64_t>(n); };
  const double copies = std::ceil(p.copies);
  SystolicGrid grid;
  if (shape.cuts_depth()) {  // both blocks change with every step; the result goes out after the depth's last
    grid.turns = count(copies * shape.m * shape.n);
    grid.runs = {{step(rows + columns, Bytes(0)), count(shape.k - 1)}, {step(rows + columns, result), 1}};
    return grid;
  }
  const bool rows_outside = shape.order == GridOrder::rows_outside;
  const double outer = rows_outside ? shape.m : shape.n, inner = rows_outside ? shape.n : shape.m;
  const Bytes staying = rows_outside ? rows : columns, changing = rows_outside ? columns : rows;
  if (inner > 1) {
    grid.turns = count(copies * outer);
    grid.runs = {{step(staying + changing, result), 1}, {step(changing, result), count(inner - 1)}};
  } else if (outer > 1) {  // the one block of the inner side is fetched once a copy
    grid.turns = count(copies);
    grid.runs = {{step(staying + changing, result), 1}, {step(staying, result), count(outer - 1)}};
  } else {
    grid.turns = count(copies);
    grid.runs = {{step(rows + columns, result), 1}};
  }
  return grid;
}

class Search {
 public:
  Search(const SystolicMachine& machine, const CorePart& part, const PlanCost& cost)
      : machine_(machine), part_(part), cost_(cost) {}

  // Keeps the plan with this tile if it is the cheapest so far.
  void consider(const SystolicTile& tile, Bytes room) {
    const ArrayProduct& p = part_.product;
    const ArrayShare block = share_out(machine_.array, {.m = std::min(p.m, d(tile.m)),
                                                        .n = std::min(p.n, d(tile.n)),
                                                        .k = std::min(p.k, d(tile.k)),
                                                        .row_granule = p.row_granule,
                                                        .rows_per_clk = p.rows_per_clk});
    const double block_clk = estimate_block(machine_.array, block);
    for (const GridOrder order : {GridOrder::rows_outside, GridOrder::columns_outside}) {
      const GridShape shape = shape_of(p, tile, order);
      if (room_of(machine_, p, tile, shape) > room) continue;
      const double steps = std::ceil(p.copies) * shape.m * shape.n * shape.k;
      if (best_ && machine_.cycles(steps * (machine_.step + block_clk)) >= least_) continue;
      SystolicPlan plan;
      plan.tile = tile;
      plan.share = part_.share;
      plan.order = order;
      plan.block = block;
      plan.grid = grid_of(machine_, part_, shape, block_clk);
      plan.estimate = estimate_grid(machine_, plan.grid);
      count_bytes(plan);
      const Seconds cost = cost_ ? cost_(plan) : plan.estimate.total;
      if (best_ && least_ <= cost) continue;
      least_ = cost;
      best_ = std::move(plan);
    }
  }
  void consider_all() {
    const ArrayProduct& p = part_.product;
    for (const std::int64_t m : edges_of(p.m, p.row_granule, kFinestEdge))
      for (const std::int64_t n : edges_of(p.n, kLanes, kFinestEdge))
        for (const std::int64_t k : edges_of(p.k, kLanes, kFinestEdge)) consider({m, n, k}, machine_.room);
    const auto least = [](double size, double granule) { return static_cast<std::int64_t>(std::min(size, granule)); };
    if (!best_)  // a scratchpad for nothing: the smallest blocks there are
      consider({least(p.m, p.row_granule), least(p.n, kLanes), least(p.k, kLanes)}, Bytes(HUGE_VAL));
  }
  const std::optional<SystolicPlan>& best() const { return best_; }
  Seconds least() const { return least_; }

 private:
  void count_bytes(SystolicPlan& plan) const {
    for (const StepRun& run : plan.grid.runs) {
      const double steps = d(run.count) * d(plan.grid.turns) * d(machine_.cores);
      plan.read += steps * run.step.in;
      plan.written += steps * run.step.out;
    }
  }

  const SystolicMachine& machine_;
  const CorePart& part_;
  const PlanCost& cost_;
  std::optional<SystolicPlan> best_;
  Seconds least_;
};

}  // namespace

SystolicPlan plan_product(const SystolicMachine& machine, const ArrayProduct& product,
                          const std::optional<SystolicTile>& tile, const PlanCost& cost) {
  std::optional<SystolicPlan> best;
  Seconds least;
  for (const CorePart& part : parts_of_product(machine, product)) {
    Search search(machine, part, cost);
    if (tile) {
      search.consider(*tile, machine.scratchpad);
    } else {
      search.consider_all();
    }
    if (!search.best() || (best && search.least() >= least)) continue;
    best = search.best();
    least = search.least();
  }
  if (!best)
    throw spec::InputError(fmt::format("blocks of {} x {} x {} do not fit the scratchpad", tile->m, tile->n, tile->k),
                           fmt::format("it holds {:.0f} KiB, and each block of an operand {} times",
                                       machine.scratchpad.si() / 1024, machine.buffers));
  return *best;
}

}  // namespace mlosim::tile
