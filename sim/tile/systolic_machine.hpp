// A systolic chip as its tile engine sees it: cores, arrays and DMA paths, read from the spec once. No behaviour; the
// closed forms (systolic_array, systolic_grid) and the play by events (systolic_core) are built from the same struct.
#pragma once

#include <cstdint>
#include <string>

#include "sim/spec/chip_spec.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::tile {

// A way that DMA engines move bytes: a transfer takes the latency and then its bytes at the rate; of transfers in a
// queue, the latency is waited for once.
struct DmaPath {
  Seconds latency;      // from the issue of a transfer to the end of the wait for it, besides its bytes
  BytesPerSecond core;  // what the engine of one core moves
  BytesPerSecond chip;  // what the engines of all cores move together
};

// The systolic arrays of one core; times in clk.
struct ArrayTiming {
  std::int64_t rows = 0, cols = 0, count = 0;
  double efficiency = 1;  // of a row a clk in a long pass
  double load = 0;        // until the first block of weights is in an idle array
  double near_result = 0,
         far_result = 0;  // from eight rows in to their results out; far: the second half of the arrays
};

struct SystolicMachine {
  Hertz clock;
  std::int64_t cores = 1;
  ArrayTiming array;
  DmaPath in, out;           // device memory to scratchpad, and back
  Bytes room;                // of a core's scratchpad, for one kernel that a compiler plans
  Bytes scratchpad;          // all of it
  std::int64_t buffers = 2;  // blocks of an operand in the scratchpad at once
  double step = 0;           // clk of the scalar core a grid step
  FlopsPerSecond vector;     // of one core
  double exponentials = 0;   // per clk of one core

  Seconds cycles(double clk) const { return clk / clock; }
};

// Measured paths of the chip, or else the memory's bandwidth at its efficiency, which one core's engine can draw alone.
SystolicMachine build_machine(const spec::ChipSpec& chip);

// The path between two levels of the chip, or between other ends that it has measured paths for. Throws
// spec::InputError where it knows neither.
DmaPath path_between(const spec::ChipSpec& chip, const std::string& from, const std::string& to);

// Rows of one operand that an array of the chip takes a clk: 1 in the format that it is made for.
double rows_per_clk(const spec::ChipSpec& chip, FlopsPerSecond rate);

}  // namespace mlosim::tile
