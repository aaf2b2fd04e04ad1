// A library of a handful of files in a directory of its own: one GPU of round numbers ("toy"), a systolic chip
// ("grid"), a node of eight toys, and two runtimes. Tests of specs, machines and predictions use it, so that a change
// of hw_specs/ moves none of them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/spec/hardware.hpp"
#include "sim/spec/library.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::spec {

// 100 TFLOP/s in bf16, 200 in fp8 and int8, 1 TB/s, 80 GB.
inline constexpr const char* kToyChip = R"(schema: mlosim/chip/1
name: toy
family: plain
vendor: Acme
clock: {value: 1 GHz, kind: datasheet, source: toy sheet}
units: {value: 100, kind: datasheet, source: toy sheet}
l2: {capacity: 40 MB, bandwidth: 5 TB/s, latency: 200 ns}
hbm:
  capacity: 80 GB
  bandwidth: {value: 1 TB/s, kind: datasheet, source: toy sheet}
  latency: 500 ns
power: {cap: 500 W}
host_link: 50 GB/s
price: 2 USD/h
)";

inline constexpr const char* kPlainFamily = R"(schema: mlosim/family/1
name: plain
description: round numbers
kind: simt
levels: [shared_memory, l2, hbm]
matrix: {bf16: 1000 flop, fp16: 1000 flop, fp8: 2000 flop, int8: 2000 flop}
vector: 100 flop
exponentials: 10
shared_memory: {sharing: unit, policy: scratchpad, capacity: 200 kB, bandwidth: 100 GB/s, latency: 30 ns}
l2: {sharing: chip, policy: cache}
hbm: {sharing: chip, policy: memory}
launch: {stream: 4 us, graph: 1 us, submit: 5 us, step: 10 us}
power:
  static_share: 0.2
  sustained_energy: 1
  device_memory: 60 pJ/B
  vector: 5 pJ/flop
  matrix: {bf16: 0.6 pJ/flop}
  burst_headroom: 0.5
  burst_window: 500 us
gemm:
  plans: {tiles: [[64, 64], [128, 64], [128, 128], [256, 128]], splits: [1, 2, 4, 8], kind: assumed, source: round}
  operand_path: shared_memory
  fixed: 2 us
  matrix_efficiency: 0.9
  prologue: 800 clk
  epilogue: 500 clk
  epilogue_store: 64 B
  exposed_ends: 0.8
  k_step: 20 clk
  split_reduction: 2 us
  split_preference: 1 us
  unit_load: {value: 60 B, kind: derived, source: "1.2 x the cache's share of a unit"}
  stages_in_flight: 4
  overlap_norm: 4
  warm_share: 0.7
  rotating_share: 0.4
  operand_limit: 0.5
attention:
  prefill: &prefill {fixed: 10 us, fixed_encoder: 8 us, matrix_efficiency: 0.7, matrix_efficiency_8bit: 0.6, exponential_weight: 0.5,
                     tile_overhead: 2000 clk, tail: 0.5, tile_rows: 128, tile_cols: 64, append_passes: 1, backward_rate: 0.75}
  decode: &decode {fixed: 5 us, matrix_efficiency: 0.6, tile_overhead: 5000 clk, split_reduction: 3 us, tail: 0.3,
                   memory_efficiency: {value: 0.8, kind: assumed, source: a guess}, row_granule: 16, tile_cols: 64, ctas_per_unit: 2}
  mla_prefill: *prefill
  mla_decode: *decode
moe: {fixed: 20 us, matrix_efficiency: 0.6, matrix_efficiency_8bit: 0.5, narrow_exponent: 0.5, tile_overhead: 1500 clk, tail: 0.2,
      memory_efficiency: 0.8, permute_passes: 1}
elementwise: {memory_efficiency: 0.9, fixed: 2 us, passes: 1, in_flight: 32 KiB}
)";

// No bf16, and fp16 beside int8 alone.
inline constexpr const char* kOldChip = R"(schema: mlosim/chip/1
name: old
family: plain_fp16
vendor: Acme
clock: 1 GHz
units: 100
l2: {capacity: 6 MB, bandwidth: 2 TB/s, latency: 200 ns}
hbm: {capacity: 32 GB, bandwidth: 900 GB/s, latency: 500 ns}
power: {cap: 300 W}
host_link: 16 GB/s
)";

inline constexpr const char* kGridChip = R"(schema: mlosim/chip/1
name: grid
family: arrays
vendor: Weave
kind: systolic
clock: 1 GHz
units: 2
levels: [vmem, hbm]
array: {rows: 128, cols: 128, count: 4}
matrix: {bf16: 131072 flop}
vector: 4096 flop
exponentials: 512
vmem: {sharing: unit, policy: scratchpad, capacity: 64 MiB, bandwidth: 10 TB/s, latency: 12 ns}
hbm: {sharing: chip, policy: memory, capacity: 32 GB, bandwidth: 1 TB/s, latency: 460 ns}
launch: {stream: 500 ns, graph: 500 ns, submit: 20 us, step: 20 us}
power: {cap: 200 W, static_share: 0.25, sustained_energy: 1, device_memory: 60 pJ/B, vector: 5 pJ/flop, matrix: {bf16: 0.5 pJ/flop}, burst_headroom: 0.5, burst_window: 500 us}
host_link: 32 GB/s
systolic: {fixed: 3 us, matrix_efficiency: 0.9, memory_efficiency: 0.9, weight_load: 80, result: 88, step: 100, scoped: 8 MiB,
           decode_per_sequence: 300 ns, decode_memory_efficiency: 0.7,
           prefill_matrix_efficiency: 0.5, backward_rate: 0.75, attention_fixed: 10 us}
elementwise: {memory_efficiency: 0.9, fixed: 500 ns, passes: 1, in_flight: 1 MiB}
)";

inline constexpr const char* kToyNode = R"(schema: mlosim/system/1
name: toy_8
chip: toy
fabric: {topology: full, chips: 8, bandwidth: 400 GB/s, latency: 800 ns, efficiency: 0.8}
collectives: direct
scale_out: {bandwidth: 50 GB/s, latency: 5 us}
)";

inline constexpr const char* kDirectLibrary = R"(schema: mlosim/collectives/1
name: direct
direct: {start: 10 us, hop: {ll: 1 us, simple: 2 us}, ll_efficiency: 0.5, channels: 8}
)";

inline constexpr const char* kTrainer = R"(schema: mlosim/runtime/1
name: trainer
vendors: [Acme]
trains_by_default_for: [Acme]
also_called: [gym]
fusion: {residual_norm: false, gate_activation: true, rope: true}
training:
  host: ahead
  submit: 5 us
  step_overhead: 1 ms
  fusion: {pass_bytes: 1}
  exposed: {tp: 0.5, regather: 0, ep: 1, cp: 1, dp: 0}
  overlap: {grad_reduce: true, param_gather: true, p2p: true}
  reduced_gradients: fp32
  memory: {reserved_share: 0.05, context: 1 GB}
)";

inline constexpr const char* kAcmeRuntime = R"(schema: mlosim/runtime/1
name: acme
vendors: [Acme]
default_for: [Acme]
launch: {decode: graph, prefill: eager}
fusion: {residual_norm: true, gate_activation: true, rope: true, quantisation: false}
step_overhead: 100 us
memory: {reserved_share: 0.1, context: 1 GB}
quantiser: {fixed: 3 us, passes: 1, per_row: 0 s}
families:
  plain:
    attention: {decode: {fixed: 7 us}}
)";

inline constexpr const char* kWeaveRuntime = R"(schema: mlosim/runtime/1
name: weave
vendors: [Weave]
default_for: [Weave]
launch: {decode: compiled, prefill: compiled}
fusion: {residual_norm: true, gate_activation: true, rope: true, elementwise: true, quantisation: true}
step_overhead: 50 us
memory: {reserved_share: 0.05, context: 500 MB}
quantiser: {fixed: 1 us, passes: 1, per_row: 0 s}
)";

// GEMMs of toy's within 10 %, collectives within 30 %.
inline constexpr const char* kToyResiduals = R"(schema: mlosim/residuals/1
source: toy rows
fidelity: analytic
steps: {chip: {usual: 0.1}, family: {usual: 0.2}, runtime: {usual: 0.05}, format: {usual: 0.1}, op: {usual: 0.1}, kind: {usual: 0.2}, size: {usual: 0}}
correlation: {within_kind: 0.3, across_kinds: 0.1}
host: {value: 0.2, kind: assumed, source: a guess}
network: {value: 0.15, kind: assumed, source: a guess}
chips: {toy: plain}
curves:
  gemm:
    toy:
      - {of: [acme bf16], rows: 100, times: 1 us to 1 s, ends: [1 ms -0.1 0.1]}
  all_reduce:
    toy:
      - {of: [acme bf16], rows: 100, times: 1 us to 1 s, ends: [1 ms -0.3 0.3]}
)";

class SmallLibrary {
 public:
  SmallLibrary() {
    std::string fp16_family = kPlainFamily;
    replace(fp16_family, "name: plain\n", "name: plain_fp16\n");
    replace(fp16_family, "{bf16: 1000 flop, fp16: 1000 flop, fp8: 2000 flop, int8: 2000 flop}",
            "{fp16: 1000 flop, int8: 2000 flop}");
    replace(fp16_family, "matrix: {bf16: 0.6 pJ/flop}", "matrix: {fp16: 0.6 pJ/flop}");
    write("hw_specs/chips/toy.yaml", kToyChip);
    write("hw_specs/chips/old.yaml", kOldChip);
    write("hw_specs/chips/grid.yaml", kGridChip);
    write("hw_specs/families/plain.yaml", kPlainFamily);
    write("hw_specs/families/plain_fp16.yaml", fp16_family);
    write("hw_specs/families/arrays.yaml", "{schema: mlosim/family/1, name: arrays}\n");
    write("hw_specs/families/direct.yaml", kDirectLibrary);
    write("hw_specs/systems/toy_8.yaml", kToyNode);
    write("hw_specs/residuals.yaml", kToyResiduals);
    write("models/runtimes/acme.yaml", kAcmeRuntime);
    write("models/runtimes/weave.yaml", kWeaveRuntime);
    write("models/runtimes/trainer.yaml", kTrainer);
  }

  // Adds or replaces a file; answers its whole path.
  std::string write(const std::string& file, const std::string& text) const {
    const std::filesystem::path path = directory_.path() / file;
    std::filesystem::create_directories(path.parent_path());
    support::write_text(path, text);
    return path.string();
  }

  std::string root() const { return directory_.path().string(); }
  Library library() const { return Library({root()}); }

  // The decoded system, with overrides {path, value} laid over it. Throws InputError.
  Hardware hardware(const std::string& system, const std::vector<std::pair<std::string, std::string>>& overrides = {},
                    const std::string& runtime = "") const {
    std::vector<std::string> warnings;
    HardwareDocuments documents = read_hardware(library(), system, {.name = runtime, .trains = false}, warnings);
    for (const auto& [path, value] : overrides) apply_override(documents, {path, make_scalar(value, "--set " + path)});
    Decoding decoding;
    Hardware decoded = decode_hardware(documents, decoding);
    decoding.diagnostics.throw_if_any();
    return decoded;
  }

  static void replace(std::string& text, const std::string& what, const std::string& by) {
    text.replace(text.find(what), what.size(), by);
  }

 private:
  support::TemporaryDirectory directory_;
};

}  // namespace mlosim::spec
