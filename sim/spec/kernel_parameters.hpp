// Parameters of the kernel cost models, as a chip's YAML (its family's, where it has none of its own) gives them. Each
// is a physical quantity of the hardware or of a vendor library; the formulas that use them stand in sim/chip.
//
// "clk" is a count of core clocks. Everything here is per unit (SM, CU or core) unless it says otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/spec/node.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::spec {

// A tile of the output: `n` along the weights' rows, `m` along the activations' rows; `units` units work on one
// together.
struct GemmTile {
  std::int64_t n = 128, m = 128;
  std::int64_t units = 1;
};

// How operands get from L2 to the multipliers.
enum class OperandPath {
  register_file,  // mma.sync and MFMA: both operands pass through registers
  shared_memory,  // wgmma: fed from shared memory, with multicast over a cluster
  tensor_memory,  // tcgen05: accumulators in tensor memory, with multicast over a cluster
};

// GPU GEMM; the formulas stand in sim/chip/gemm_simt.cpp.
struct GemmParameters {
  std::vector<GemmTile> tiles;
  std::vector<std::int64_t> splits;  // split-K factors that the library has
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
};

struct AttentionPrefillParameters {
  Seconds fixed;                 // of a causal call, the KV-append kernel included
  Seconds fixed_encoder;         // of a call without KV cache
  double matrix_efficiency = 1;  // 16-bit operands
  double matrix_efficiency_8bit = 1;
  double exponential_weight = 1;  // exponentials' time that adds to the multiplications' (0 = hidden)
  double tile_overhead = 0;       // clk at the start and end of a query tile
  double tail = 0;                // share of a heaviest tile that is left over at the end
  std::int64_t tile_rows = 128, tile_cols = 64;
  double append_passes = 1;  // of the RoPE and KV-append bytes
  std::int64_t packed_queries =
      0;  // calls of at most as many queries put all query heads of a KV head in one tile; 0 = none does
};

struct AttentionDecodeParameters {
  Seconds fixed;
  double matrix_efficiency = 1;
  double tile_overhead = 0;  // clk of a CTA's start and end
  Seconds split_reduction;
  double tail = 0;
  double memory_efficiency = 1;   // of the device memory's datasheet rate on KV streams
  std::int64_t row_granule = 16;  // rows that query heads of one KV head are rounded to
  std::int64_t tile_cols = 64;
  std::int64_t ctas_per_unit = 1;
  // Of the kernel for caches of at most 8 bits, where it is another one.
  std::optional<Seconds> fixed_8bit = std::nullopt;
  std::optional<double> tile_overhead_8bit = std::nullopt;
};

struct MoeParameters {
  Seconds fixed;
  double matrix_efficiency = 1;
  double matrix_efficiency_8bit = 1;
  double narrow_exponent = 0;  // a tile of r rows takes (r/128)^(1-p) of a full one
  double tile_overhead = 0;    // clk
  double tail = 0;             // waves left over at the end
  double memory_efficiency = 1;
  double permute_passes = 1;  // of the permutation and activation bytes
};

// One kind of bandwidth-bound kernel.
struct StreamParameters {
  Seconds fixed;
  double passes = 1;  // times the compulsory bytes
  Bytes in_flight;    // bytes that one unit keeps in flight
};

// Bandwidth-bound kernels; `kinds` holds those that differ from `standard`.
struct ElementwiseParameters {
  double memory_efficiency = 1;  // of device memory, for a long stream
  StreamParameters standard;
  std::map<std::string, StreamParameters> kinds;
};

// Systolic chips: one set for all operators.
struct SystolicParameters {
  Seconds fixed;                 // of a fused kernel
  double matrix_efficiency = 1;  // of the array's peak in a long pass
  double memory_efficiency = 1;
  double fill = 0;              // clk from the first row in to the first result out, besides rows + columns
  Seconds decode_per_sequence;  // of the attention kernel's sequential grid
  double decode_memory_efficiency = 1;
  double prefill_matrix_efficiency = 1;
  Seconds attention_fixed;
};

GemmParameters decode_gemm(Node node);
AttentionPrefillParameters decode_attention_prefill(Node node);
AttentionDecodeParameters decode_attention_decode(Node node);
MoeParameters decode_moe(Node node);
ElementwiseParameters decode_elementwise(Node node);
SystolicParameters decode_systolic(Node node);

}  // namespace mlosim::spec
