// What property tests range over: every built-in chip, operators of every kind in the formats that a chip multiplies,
// and the states of the caches that kernels are priced in.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "sim/chip/kernel.hpp"
#include "sim/spec/hardware.hpp"
#include "sim/work/operator.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::property {

inline spec::Library built_in() { return spec::Library({support::source_dir().string()}); }

inline std::vector<std::string> chip_names() { return built_in().names(spec::Shelf::chips); }
inline std::vector<std::string> system_names() { return built_in().names(spec::Shelf::systems); }

inline spec::HardwareDocuments documents_of(const std::string& system) {
  std::vector<std::string> warnings;
  return spec::read_hardware(built_in(), system, {}, warnings);
}

// Throws spec::InputError where the documents are wrong.
inline spec::Hardware decode(const spec::HardwareDocuments& documents) {
  spec::Decoding decoding;
  spec::Hardware hardware = spec::decode_hardware(documents, decoding);
  decoding.diagnostics.throw_if_any();
  return hardware;
}

inline spec::Hardware hardware_of(const std::string& system) { return decode(documents_of(system)); }

// Formats of matrix operands that the chip multiplies.
inline std::vector<work::DType> formats_of(const spec::ChipSpec& chip) {
  std::vector<work::DType> formats;
  for (const auto& [format, rate] : chip.matrix) {
    if (format != work::DType::fp64 && format != work::DType::int4) formats.push_back(format);
  }
  return formats;
}

inline std::vector<work::Operator> operators_in(work::DType format) {
  using namespace work;
  const DType output = format == DType::fp32 || format == DType::fp16 ? format : DType::bf16;
  const auto gemm = [&](std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t batch, bool quantise) {
    return Gemm{.m = m,
                .n = n,
                .k = k,
                .batch = batch,
                .activations = format,
                .weights = format,
                .output = output,
                .quantise_activations = quantise};
  };
  std::vector<Operator> ops;
  for (const std::int64_t m : {1, 16, 100, 768, 8192}) {
    for (const auto& [n, k] : {std::pair{4096, 4096}, std::pair{1000, 14336}, std::pair{64, 64}})
      ops.emplace_back(gemm(m, n, k, 1, false));
  }
  ops.emplace_back(gemm(256, 256, 128, 64, false));
  ops.emplace_back(gemm(512, 28672, 8192, 1, is_quantised(format)));
  for (const std::int64_t length : {128, 1000, 8192}) {
    ops.emplace_back(AttentionPrefill{
        .seq_q = length, .seq_kv = length, .heads = 32, .kv_heads = 8, .dtype = format, .kv_dtype = format});
    ops.emplace_back(
        AttentionDecode{.batch = 8, .seq_kv = length, .heads = 32, .kv_heads = 8, .dtype = format, .kv_dtype = format});
    ops.emplace_back(MlaPrefill{.seq_q = length, .seq_kv = length, .heads = 64, .dtype = format, .kv_dtype = format});
    ops.emplace_back(MlaDecode{.batch = 8, .seq_kv = length, .heads = 64, .dtype = format, .kv_dtype = format});
  }
  ops.emplace_back(AttentionPrefill{.seq_q = 2000,
                                    .seq_kv = 4000,
                                    .heads = 16,
                                    .kv_heads = 16,
                                    .causal = false,
                                    .dtype = format,
                                    .kv_dtype = format});
  ops.emplace_back(AttentionPrefill{
      .seq_q = 4096, .seq_kv = 4096, .heads = 16, .kv_heads = 4, .window = 512, .dtype = format, .kv_dtype = format});
  for (const std::int64_t tokens : {1, 64, 4096}) {
    ops.emplace_back(MoeGemm{.tokens = tokens,
                             .hidden = 2048,
                             .inter = 1408,
                             .experts = 64,
                             .topk = 6,
                             .activations = format,
                             .weights = format});
  }
  for (const ElementwiseKind kind : {ElementwiseKind::copy, ElementwiseKind::softmax, ElementwiseKind::add_rmsnorm,
                                     ElementwiseKind::silu_mul, ElementwiseKind::rope}) {
    for (const std::int64_t rows : {1, 300, 16384})
      ops.emplace_back(make_elementwise(kind, rows, 8192, output, output));
  }
  ops.emplace_back(Embedding{.tokens = 256, .hidden = 8192, .vocab = 128256, .dtype = output});
  ops.emplace_back(Sampling{.rows = 16, .vocab = 128256});
  return ops;
}

// What the caches hold when a kernel starts.
struct CacheState {
  const char* name;
  chip::OperandState operands;
  bool sustained;
};

inline std::vector<CacheState> cache_states() {
  return {{"benchmark loop", {.between_uses = Bytes(0), .rotates_weights = true}, false},
          {"warm", {.between_uses = Bytes(0), .rotates_weights = false}, true},
          {"inside a network", {.between_uses = Bytes(20e9), .rotates_weights = false}, true}};
}

// One kernel to be priced, and how a failed property names it.
struct KernelCase {
  work::Operator op;
  CacheState state;
  std::string name;  // "gemm 3 in fp8, warm": the position counts the list of operators_in
};

inline std::vector<KernelCase> kernel_cases(const spec::ChipSpec& chip) {
  std::vector<KernelCase> cases;
  for (const work::DType format : formats_of(chip)) {
    const std::vector<work::Operator> ops = operators_in(format);
    for (std::size_t i = 0; i < ops.size(); ++i) {
      for (const CacheState& state : cache_states()) {
        cases.push_back({ops[i], state,
                         fmt::format("{}: {} {} in {}, {}", chip.name, work::name_of(ops[i]), i, work::name_of(format),
                                     state.name)});
      }
    }
  }
  return cases;
}

inline chip::KernelPrice price(const work::Operator& op, const CacheState& state, const spec::Hardware& hardware,
                               chip::Fidelity fidelity = chip::Fidelity::analytic) {
  return chip::price_kernel(op,
                            {.chip = hardware.system.chip,
                             .runtime = hardware.runtime,
                             .operands = state.operands,
                             .sustained = state.sustained},
                            fidelity);
}

// Fails at most this many times in one test, so that one wrong formula does not drown the rest.
inline constexpr int kMostFailures = 25;

}  // namespace mlosim::property
