// A kernel as a grid of steps in a row, as Pallas and XLA run it: while a step computes, the blocks of the next one
// come in and those of the one before go out. Priced in closed form here and played by events in systolic_core.
//
// With b buffers, the blocks of step i + b are asked for when step i has computed, so that a turn of the pipeline is
// the longest of
//   compute            scalar + max(matrix, vector, permute)
//   bytes              (in + out·w)/rate, w what a byte out costs of the memory's time
//   (latency + in/rate + compute)/b, and the same of out
// and the kernel is the first blocks' way in, the steps, the last block's way out. All cores play the same grid, each
// on its own part of the operands. Wrong for short steps that both read and write: played, they take up to a sixth
// more.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/tile/systolic_machine.hpp"

namespace mlosim::tile {

// What one step does on one core; clk of its units, which work side by side after the scalar core has set them up.
struct SystolicStep {
  Bytes in{}, out{};
  double scalar = 0;
  double matrix = 0;   // arrays
  double vector = 0;   // vector lanes and special functions
  double permute = 0;  // transposes and reductions over lanes

  double compute() const;
};

// The same step again and again.
struct StepRun {
  SystolicStep step;
  std::int64_t count = 1;
};

// The runs one after another, `turns` times over.
struct SystolicGrid {
  std::vector<StepRun> runs;
  std::int64_t turns = 1;
};

std::int64_t step_count(const SystolicGrid& grid);

struct GridTime {
  Seconds total;
  Seconds ends;  // of it, the first blocks' way in and the last one's out
};

GridTime estimate_grid(const SystolicMachine& machine, const SystolicGrid& grid);

// Totals of one core's grid, each as if nothing else took time.
struct GridParts {
  Seconds matrix, vector, memory, scalar;
};
GridParts parts_of(const SystolicMachine& machine, const SystolicGrid& grid);

// What the engine of one core moves while those of all cores move the same.
BytesPerSecond shared_rate(const SystolicMachine& machine, const DmaPath& path);

}  // namespace mlosim::tile
