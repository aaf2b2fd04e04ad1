// Parameters of the kernel cost models, as a chip's YAML (its family's, where it has none of its own) gives them. Each
// is a physical quantity of the hardware or of a vendor library; the formulas that use them stand in sim/chip.
//
// "clk" is a count of core clocks. Everything here is per unit (SM, CU or core) unless it says otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/spec/node.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/dtype.hpp"

namespace mlosim::spec {

// A tile of the output: `n` along the weights' rows, `m` along the activations' rows; `units` units work on one
// together. Libraries that choose by the number of rows alone take it for products of `least_rows` to `most_rows`.
struct GemmTile {
  std::int64_t n = 128, m = 128;
  std::int64_t units = 1;
  std::int64_t least_rows = 1, most_rows = std::numeric_limits<std::int64_t>::max();
};

// Dynamic quantisation of activations before a low-precision GEMM, as kernels of their own.
struct Quantiser {
  Seconds fixed;      // amax, scale and cast kernels of an empty matrix
  double passes = 1;  // of the bytes read and written
  Seconds per_row;    // where one CTA handles a row
};

// How operands get from L2 to the multipliers.
enum class OperandPath {
  register_file,  // mma.sync and MFMA: both operands pass through registers
  shared_memory,  // wgmma: fed from shared memory, with multicast over a cluster
  tensor_memory,  // tcgen05: accumulators in tensor memory, with multicast over a cluster
  vector_lanes,   // no matrix unit: 16 x 16 threads read their share of a tile from shared memory
};

// GPU GEMM; the formulas stand in sim/chip/gemm_simt.cpp.
struct GemmParameters {
  std::vector<GemmTile> tiles;
  std::vector<std::int64_t> splits;       // split-K factors that the library has
  std::int64_t splits_from_volume = 1;    // the smallest m·n·k that it splits
  std::vector<std::int64_t> vector_rows;  // rows of W that one CTA of its matrix-vector kernels takes; may be empty
  OperandPath operand_path = OperandPath::register_file;
  Seconds fixed;                 // launch to first instruction, and drain, of a kernel in a graph
  double matrix_efficiency = 1;  // of the tensor peak inside the main loop
  double prologue = 0;           // clk before the first load is issued
  double epilogue = 0;           // clk of a tile's end besides its stores
  Bytes epilogue_store;          // per clk: how fast a unit writes a tile out
  double exposed_ends = 1;       // share of prologue and epilogue not hidden behind another tile of the same unit
  double k_step = 0;             // clk per 128 bytes of k: barrier, operand fetch, issue
  Seconds split_reduction;       // fixed time of the split-K reduction
  Seconds split_preference;      // how much a split plan must win by before the library takes it
  Bytes unit_load;               // per clk: most that one unit loads
  double stages_in_flight = 0;   // 128-byte k steps that are requested ahead
  double overlap_norm = 0;       // p of (Σ xᵖ)^(1/p), by which main-loop resources overlap
  double warm_share = 0;         // of the L2 that keeps re-read operands
  double rotating_share = 0;     // of the L2 that keeps operands which are cycled through
  double operand_limit = 0;      // how much operand bytes bind the multipliers; 0 = never
  Bytes long_row;                // of an operand, from which on each row of a tile lies on pages of its own; 0 = never
  double long_row_slowdown = 1;  // of the main loop by the address translation that this takes
  double memory_share = 1;       // of the device memory's sustained rate that these kernels draw
  std::optional<Quantiser> quantiser = std::nullopt;          // the runtime's own where there is none
  std::optional<Quantiser> batched_quantiser = std::nullopt;  // of batched products, where it is another one: it
                                                              // changes the layout, too
};

// The kernels of each format: libraries have other ones for fp32, 8-bit and 4-bit operands than for 16-bit ones.
struct GemmFormats {
  GemmParameters standard;
  std::map<work::DType, GemmParameters> formats;       // by the format of both operands
  std::map<work::DType, GemmParameters> weights_only;  // by that of the weights, beside wider activations

  // The kernels of a product: its format's, or those of the arithmetic that it runs on, or the standard ones.
  const GemmParameters& of(work::DType activations, work::DType weights) const;
};

// A kernel that gives each row of its tensor to one block of threads, which goes through the row in steps of
// threads × vector elements, each a round trip to the memory that the block waits for.
struct RowKernel {
  std::int64_t threads = 0;        // of a block
  std::int64_t least_threads = 0;  // a shorter row takes the smallest power of two times this that spans it in a step
  double vector = 1;               // elements that a thread takes a step
  double reads = 1;                // how often the row's input is gone through
  double start = 0;                // latencies of the device memory that a row takes beside its steps
  double step = 1;                 // the same, of one step
  std::int64_t register_cols = 0;  // rows up to this length are held in registers and stream
  double overlap_norm = 1;         // p of (Σ xᵖ)^(1/p), by which these waits overlap with the memory's bandwidth
};

// One kind of bandwidth-bound kernel.
struct StreamParameters {
  Seconds fixed;
  double passes = 1;             // times the compulsory bytes
  double footprint = 1;          // distinct bytes over them: less where it writes in place, more with temporaries
  Bytes in_flight;               // bytes that one unit keeps in flight
  double memory_efficiency = 1;  // of device memory, for a long stream
  Flops per_element;             // vector work that the kernel's instructions amount to; 0: the operator's own
  std::optional<RowKernel> row = std::nullopt;
};

// Bandwidth-bound kernels; `kinds` holds those that differ from `standard`.
struct ElementwiseParameters {
  StreamParameters standard;
  std::int64_t resident_threads = 0;  // that one unit runs at once
  double row_reuse_share = 0;         // of the last cache that keeps the rows in flight until they are read again
  std::map<std::string, StreamParameters> kinds;
};

// A measured way that DMA engines move bytes between two levels. What is left out is the outer level's.
struct PathParameters {
  std::optional<Seconds> latency;      // of one transfer, from its issue to the end of the wait for it
  std::optional<BytesPerSecond> rate;  // that the shares are of: the outer level's bandwidth where none is given
  double core = 1;                     // share that the engine of one core moves
  double chip = 1;                     // that those of all cores move together; above 1 where each has its own
};

// A pipelined unit of a core, in clk.
struct UnitTiming {
  double latency = 1;   // until a result can be used
  double interval = 1;  // between two starts
};

// Systolic chips: one set for all operators.
struct SystolicParameters {
  Seconds fixed;                 // of a fused kernel
  double matrix_efficiency = 1;  // of the array's peak in a long pass
  double memory_efficiency = 1;  // of the device memory, for a long stream in
  double weight_load = 0;        // clk until the first block of weights is in an idle array
  double result = 0;             // clk from eight rows in to their results out
  double far_result = 0;         // the same of the second half of a core's arrays
  double step = 0;               // clk of a grid step on the scalar core: indices, descriptors, waits
  std::int64_t buffers = 2;      // blocks of an operand in the scratchpad at once
  Bytes scoped;                  // of the scratchpad that one kernel may fill
  Seconds decode_per_sequence;   // of the attention kernel's sequential grid
  double decode_memory_efficiency = 1;
  double prefill_matrix_efficiency = 1;
  double backward_rate = 1;  // of attention's gradients, over the rate of its forward
  Seconds attention_fixed;
  std::map<std::string, PathParameters> paths;  // measured ones, by "<from>_<to>" of the levels' names
  std::map<std::string, UnitTiming> units;      // of the vector side, by name
};

GemmFormats decode_gemm(Node node);
Quantiser decode_quantiser(Node node);
ElementwiseParameters decode_elementwise(Node node);
SystolicParameters decode_systolic(Node node);

}  // namespace mlosim::spec
