// Two small made-up chips with round numbers for tests of the cost models, and shorthands to price operators on them.
#pragma once

#include "sim/chip/kernel.hpp"

namespace mlosim::chip::test {

inline spec::MemoryLevel level(const char* name, spec::Sharing sharing, spec::Policy policy, Bytes capacity,
                               BytesPerSecond bandwidth, Seconds latency) {
  spec::MemoryLevel l;
  l.name = name;
  l.sharing = sharing;
  l.policy = policy;
  l.capacity = capacity;
  l.bandwidth = bandwidth;
  l.latency = latency;
  return l;
}

inline void add_power(spec::ChipSpec& chip) {
  chip.power.cap = Watts(700);
  chip.power.static_share = 0.25;
  chip.power.device_memory = JoulesPerByte(60e-12);
  chip.power.vector = JoulesPerFlop(5e-12);
  chip.power.matrix[work::DType::bf16] = JoulesPerFlop(0.1e-12);
  chip.power.burst_window = Seconds(1e-3);
}

// 100 units at 1 GHz with 1000 bf16 flop/clk each (100 TF/s), 1 TB/s of device memory behind an L2 of 50 MB at 5 TB/s.
inline spec::ChipSpec gpu() {
  spec::ChipSpec chip;
  chip.name = "test_gpu";
  chip.kind = spec::ChipKind::simt;
  chip.clock = chip.rated_clock = Hertz(1e9);
  chip.units = 100;
  chip.matrix[work::DType::bf16] = Flops(1000);
  chip.matrix[work::DType::fp8] = Flops(2000);
  chip.vector = Flops(256);
  chip.exponentials = 16;
  chip.levels = {
      level("shared_memory", spec::Sharing::unit, spec::Policy::scratchpad, Bytes(2e5), BytesPerSecond(128e9),
            Seconds(20e-9)),
      level("l2", spec::Sharing::chip, spec::Policy::cache, Bytes(50e6), BytesPerSecond(5e12), Seconds(200e-9)),
      level("hbm", spec::Sharing::chip, spec::Policy::memory, Bytes(80e9), BytesPerSecond(1e12), Seconds(500e-9))};
  add_power(chip);
  chip.prefill.standard = {.fixed = Seconds(10e-6),
                           .fixed_encoder = Seconds(8e-6),
                           .matrix_efficiency = 0.7,
                           .matrix_efficiency_8bit = 0.6,
                           .exponential_weight = 0.9,
                           .tile_overhead = 2000,
                           .tail = 0.5,
                           .tile_rows = 128,
                           .tile_cols = 64,
                           .append_passes = 1,
                           .backward_rate = 0.75,
                           .packed_queries = 0};
  chip.mla_prefill = chip.prefill;
  chip.decode.standard = {.fixed = Seconds(5e-6),
                          .matrix_efficiency = 0.5,
                          .tile_overhead = 2000,
                          .split_reduction = Seconds(2e-6),
                          .tail = 0.5,
                          .memory_efficiency = 0.8,
                          .row_granule = 16,
                          .tile_cols = 64,
                          .ctas_per_unit = 1};
  chip.mla_decode = chip.decode;
  chip.moe.standard = {.fixed = Seconds(20e-6),
                       .matrix_efficiency = 0.7,
                       .matrix_efficiency_8bit = 0.6,
                       .narrow_exponent = 0.6,
                       .tile_overhead = 1000,
                       .tail = 0.5,
                       .memory_efficiency = 0.8,
                       .permute_passes = 1};
  chip.elementwise.standard = {
      .fixed = Seconds(2e-6), .passes = 1, .in_flight = Bytes(32e3), .memory_efficiency = 0.9, .per_element = {}};
  chip.elementwise.kinds["rmsnorm"] = {
      .fixed = Seconds(4e-6), .passes = 1.5, .in_flight = Bytes(4e3), .memory_efficiency = 0.9, .per_element = {}};
  return chip;
}

// Two units with four 128 × 128 arrays each at 1 GHz (262 TF/s in bf16, twice that in int8), 1 TB/s, 32 MB of
// scratchpad a unit.
inline spec::ChipSpec tpu() {
  spec::ChipSpec chip;
  chip.name = "test_tpu";
  chip.kind = spec::ChipKind::systolic;
  chip.clock = chip.rated_clock = Hertz(1e9);
  chip.units = 2;
  chip.array = {.rows = 128, .cols = 128, .count = 4};
  chip.matrix[work::DType::bf16] = Flops(2 * 128 * 128 * 4);
  chip.matrix[work::DType::int8] = Flops(2 * 2 * 128 * 128 * 4);
  chip.vector = Flops(4096);
  chip.exponentials = 512;
  chip.levels = {
      level("vmem", spec::Sharing::unit, spec::Policy::scratchpad, Bytes(32e6), BytesPerSecond(11e12), Seconds(12e-9)),
      level("hbm", spec::Sharing::chip, spec::Policy::memory, Bytes(32e9), BytesPerSecond(1e12), Seconds(500e-9))};
  add_power(chip);
  chip.systolic = {.fixed = Seconds(2e-6),
                   .matrix_efficiency = 1,
                   .memory_efficiency = 0.9,
                   .weight_load = 80,
                   .result = 88,
                   .far_result = 88,
                   .step = 100,
                   .buffers = 2,
                   .scoped = Bytes(16e6),
                   .decode_per_sequence = Seconds(1e-6),
                   .decode_memory_efficiency = 0.6,
                   .prefill_matrix_efficiency = 0.4,
                   .backward_rate = 0.75,
                   .attention_fixed = Seconds(5e-6),
                   .paths = {},
                   .units = {}};
  chip.elementwise.standard = {
      .fixed = Seconds(0.5e-6), .passes = 1, .in_flight = Bytes(1e6), .memory_efficiency = 0.9, .per_element = {}};
  return chip;
}

// GEMM kernels of a library with one tile.
inline spec::GemmParameters gemm_kernels() {
  spec::GemmParameters g;
  g.tiles = {{.n = 128, .m = 128}};
  g.splits = {1};
  g.fixed = Seconds(2e-6);
  g.prologue = g.epilogue = 500;
  g.epilogue_store = Bytes(16);
  g.unit_load = Bytes(64);
  g.stages_in_flight = 4;
  g.overlap_norm = 4;
  g.warm_share = 0.7;
  g.rotating_share = 0.3;
  return g;
}

inline KernelPrice price(const work::Operator& op, const spec::ChipSpec& chip, OperandState operands = {}) {
  static const spec::RuntimeSpec runtime;
  return price_kernel(op, {.chip = chip, .runtime = runtime, .operands = operands, .sustained = true},
                      Fidelity::analytic);
}

inline double microseconds(const work::Operator& op, const spec::ChipSpec& chip, OperandState operands = {}) {
  return price(op, chip, operands).time.si() * 1e6;
}

// A network's weights and caches: nothing is found in a cache from the last step.
inline constexpr OperandState kCold{.between_uses = Bytes(1e12), .rotates_weights = false};

}  // namespace mlosim::chip::test
