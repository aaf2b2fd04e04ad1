// Loads that run for seconds while power, clock and temperature are read, for models of power and of the clocks that it
// leaves. Host half; device/sustained_bench.cpp is the device half.

#include "validate/cuda/cases/catalogue.hpp"
#include "validate/cuda/operation/gemm_shape.hpp"
#include "validate/cuda/operation/sustained_load.hpp"

namespace mlosim::measure {
namespace {

// What a loop of seconds tells besides its time.
std::vector<std::string> with_readings(std::vector<std::string> columns) {
  for (const char* reading : {"power_source", "temperature_c", "loop_s"}) columns.emplace_back(reading);
  return columns;
}

// Beside the same product in a burst this is another row, so its regime is part of what names it.
Planned plan_sustained_gemm(const State& state, const DeviceFacts& facts, const Options& options) {
  const DType dtype = dtype_of(state.text("dtype"));
  if (dtype == DType::fp8 && facts.capability < 89) return Skip{"no fp8 before compute capability 8.9"};
  const std::int64_t size = state.integer("size");
  Plan plan = plan_gemm({.dtype = dtype, .batch = 1, .m = state.integer("m"), .n = size, .k = size}, facts);
  plan.identity.push_back({"regime", "sustained"});
  plan.fixed_time = options.sustained;
  return plan;
}

Planned plan_sustained_load(const State& state, const DeviceFacts&, const Options& options) {
  const SustainedLoad load = sustained_load_of(state.text("load"));
  return Plan{.identity = {{"op", "microbenchmark"},
                           {"dtype", "fp32"},
                           {"kind", "sustained_" + std::string(to_string(load))},
                           {"regime", "sustained"}},
              .memory_bytes = load == SustainedLoad::triad ? 3 * kTriadBytes : 1 << 20,
              .fixed_time = options.sustained};
}

}  // namespace

std::vector<Case> sustained_cases() {
  return {{.name = "sustained.gemm",
           .group = Group::sustained,
           .summary = "cuBLASLt products (m x size x size) in a loop of --sustained seconds, with power and clock",
           .axes = {{"dtype", {"bf16", "fp8", "fp16", "tf32", "int8", "fp32"}},
                    integer_axis("m", {16, 512, 8192}),
                    integer_axis("size", {2048, 8192})},
           .keys = {"batch", "m", "n", "k", "regime"},
           .results = with_readings(gemm_results()),
           .plan = plan_sustained_gemm,
           .absent = ""},
          {.name = "sustained.load",
           .group = Group::sustained,
           .summary = "an idle context, a stream triad and an FMA loop of --sustained seconds, with power and clock",
           .axes = {{"load", {"idle", "triad", "fma"}}},
           .keys = {"kind", "regime"},
           .results = with_readings({"traffic_bytes", "copies", "gb_per_s", "tflops"}),
           .plan = plan_sustained_load,
           .absent = ""}};
}

}  // namespace mlosim::measure
