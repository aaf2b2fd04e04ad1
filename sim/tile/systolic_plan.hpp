// How a matrix product is cut into a grid of steps on the cores of a systolic chip: the blocks, their order, and who
// gets which part. A compiler picks the cheapest plan by the closed form among those whose blocks fit the scratchpad; a
// kernel's author may give the blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "sim/tile/systolic_array.hpp"
#include "sim/tile/systolic_grid.hpp"

namespace mlosim::tile {

// Blocks of a Pallas kernel: rows and columns of the result, and depth.
struct SystolicTile {
  std::int64_t m = 1, n = 1, k = 1;

  friend bool operator==(const SystolicTile&, const SystolicTile&) = default;
};

// One matrix product, `copies` times with operands of their own. Elements are bytes each, fractions for packed formats.
struct ArrayProduct {
  double m = 1, n = 1, k = 1;
  double copies = 1;
  Bytes a{2}, w{2}, c{2};   // one element of the rows, the weights and the result
  double row_granule = 16;  // rows of the vector register's tile
  double rows_per_clk = 1;  // of an array
};

// What is cut between the cores, which then work alone.
enum class CoreShare { rows, columns, copies };

// Which blocks stay while the others are gone through: the rows' or the columns'. The depth is innermost.
enum class GridOrder { rows_outside, columns_outside };

struct SystolicPlan {
  SystolicTile tile;
  CoreShare share = CoreShare::rows;
  GridOrder order = GridOrder::rows_outside;
  ArrayShare block;   // of each step's block
  SystolicGrid grid;  // of each core
  GridTime estimate;
  Bytes read, written;  // at the device memory, all cores

  double steps() const { return static_cast<double>(step_count(grid)); }
};

// What a plan costs, where that is more than its estimate: a compiler's other reasons, such as the power of its bytes.
// Never below the estimate.
using PlanCost = std::function<Seconds(const SystolicPlan&)>;

// The cheapest plan, with the given tile where there is one. Throws spec::InputError where a given tile does not fit
// the scratchpad.
SystolicPlan plan_product(const SystolicMachine& machine, const ArrayProduct& product,
                          const std::optional<SystolicTile>& tile = std::nullopt, const PlanCost& cost = nullptr);

}  // namespace mlosim::tile
