// How long a prediction takes: the whole program as a user runs it, one kernel priced for the first time and again, and
// one evaluation of a decode step. Arguments of the kernel benchmarks: m of a GEMM with n = k = 8192.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "models/predict/evaluate.hpp"
#include "sim/machine/price_book.hpp"

namespace mlosim {
namespace {

constexpr const char* kWorkload = "llama-3.1-70b_decode_dgx_h200";

spec::Library built_in() { return spec::Library({MLOSIM_SOURCE_DIR}); }

spec::Hardware hardware_of(const std::string& system) {
  std::vector<std::string> warnings;
  spec::Decoding decoding;
  spec::Hardware hardware = spec::decode_hardware(spec::read_hardware(built_in(), system, {}, warnings), decoding);
  decoding.diagnostics.throw_if_any();
  return hardware;
}

// From the fork to the end of the process, standard output thrown away.
int run_program(const char* workload) {
  const pid_t child = fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stdout) == nullptr) _exit(127);
    execl(MLOSIM_BINARY, "mlosim", "predict", workload, static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void program(benchmark::State& state, const char* workload) {
  for (auto _ : state) {
    if (run_program(workload) != 0) state.SkipWithError("the program failed");
  }
}
BENCHMARK_CAPTURE(program, decode_70b_dgx_h200, kWorkload)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(program, generate_8b_h100, "llama-3.1-8b_generate_h100")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(program, operators_dgx_h100, "operators_dgx_h100")->Unit(benchmark::kMillisecond)->UseRealTime();

work::Gemm gemm(std::int64_t m) { return {.m = m, .n = 8192, .k = 8192}; }

// Search of the plan included.
void price_gemm(benchmark::State& state, const char* chip, chip::Fidelity fidelity) {
  const spec::Hardware hardware = hardware_of(chip);
  const chip::KernelContext context{.chip = hardware.system.chip,
                                    .runtime = hardware.runtime,
                                    .operands = {.between_uses = Bytes(20e9), .rotates_weights = false},
                                    .sustained = true};
  const work::Operator op = gemm(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(chip::price_kernel(op, context, fidelity));
}
BENCHMARK_CAPTURE(price_gemm, h100_sxm, "h100_sxm", chip::Fidelity::analytic)->Arg(1)->Arg(64)->Arg(8192);
BENCHMARK_CAPTURE(price_gemm, mi300x, "mi300x", chip::Fidelity::analytic)->Arg(64)->Arg(8192);
BENCHMARK_CAPTURE(price_gemm, tpu_v5p, "tpu_v5p", chip::Fidelity::analytic)->Arg(64)->Arg(8192);

// The plan played: searched, laid out, simulated.
void play_gemm(benchmark::State& state, const char* chip) {
  const spec::Hardware hardware = hardware_of(chip);
  const chip::KernelContext context{.chip = hardware.system.chip, .runtime = hardware.runtime, .operands = {}};
  const std::int64_t n = state.range(0);
  const work::Operator op = work::Gemm{.m = n, .n = n, .k = n};
  double events = 0;
  for (auto _ : state) events += static_cast<double>(chip::price_kernel(op, context, chip::Fidelity::event).events);
  state.counters["events/s"] = benchmark::Counter(events, benchmark::Counter::kIsRate);
}
BENCHMARK_CAPTURE(play_gemm, h100_sxm, "h100_sxm")->Arg(256)->Arg(4096)->Arg(16384)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(play_gemm, tpu_v5p, "tpu_v5p")->Arg(256)->Arg(4096)->Arg(16384)->Unit(benchmark::kMicrosecond);

// A kernel of each shape of a decode step, asked for again as the layers of a network do.
void price_from_book(benchmark::State& state) {
  const spec::Hardware hardware = hardware_of("h100_sxm");
  machine::PriceBook book(hardware, chip::Fidelity::analytic, {.between_uses = Bytes(20e9), .rotates_weights = false},
                          true);
  std::vector<work::Operator> ops;
  for (std::int64_t m = 16; m <= 4096; m *= 2) ops.emplace_back(gemm(m));
  for (std::int64_t keys = 512; keys <= 8192; keys *= 2)
    ops.emplace_back(work::AttentionDecode{.batch = 64, .seq_kv = keys, .heads = 64, .kv_heads = 8});
  for (const work::Operator& op : ops) book.price(op);
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(book.price(ops[i]));
    i = i + 1 == ops.size() ? 0 : i + 1;
  }
}
BENCHMARK(price_from_book);

// Graph, plan, prices and play, without reading files and without sensitivities.
void evaluate_workload(benchmark::State& state, const char* name) {
  std::vector<std::string> warnings;
  const predict::Workload workload = predict::read_workload(built_in(), name, {}, warnings);
  spec::Hardware hardware = hardware_of(workload.system);
  hardware.runtime = predict::resolve_runtime(hardware.runtime, workload.runtime);
  const graph::Precision precision =
      predict::resolve_precision(workload.precision, *workload.model, hardware.system.chip, warnings);
  double events = 0;
  for (auto _ : state) {
    const predict::Evaluation e = predict::evaluate(workload, precision, hardware, {});
    events += e.total.events;
    benchmark::DoNotOptimize(e.total.makespan);
  }
  state.counters["events/s"] = benchmark::Counter(events, benchmark::Counter::kIsRate);
}
BENCHMARK_CAPTURE(evaluate_workload, decode_70b_dgx_h200, kWorkload)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(evaluate_workload, generate_8b_h100, "llama-3.1-8b_generate_h100")->Unit(benchmark::kMicrosecond);

void read_machine(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(hardware_of("dgx_h200"));
}
BENCHMARK(read_machine)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace mlosim
