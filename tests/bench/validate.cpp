// How many measured rows a second are read, predicted, given an interval and scored. Target: 100,000 kernel rows in 5 s
// on two cores, that is 20,000 rows/s. The table mixes operators, formats and stacks as measured ones do.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "sim/spec/library.hpp"
#include "validate/compare/validate.hpp"

namespace {

namespace fs = std::filesystem;

std::string number(std::int64_t n) { return std::to_string(n); }

// `rows` of which three in four are products and one is a decode step; no shape comes twice.
fs::path write_table(std::int64_t rows) {
  const fs::path path = fs::temp_directory_path() / ("mlosim_bench_" + number(rows) + ".csv");
  std::ofstream file(path);
  file << "device,op,dtype,batch,m,n,k,seq_q,seq_kv,heads,kv_heads,head_dim,window,kv_dtype,time_us,software,source\n";
  const char* const formats[] = {"bfloat16", "fp8", "float16"};
  const char* const stacks[] = {"trtllm 1.0", "vllm 0.14", "sglang 0.5"};
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::string stack = stacks[i % 3];
    if (i % 4 == 3) {
      file << "h100_sxm,attention_decode,bfloat16," << 1 + i % 256 << ",,,,1," << 128 + i << ",32,8,128,0,bfloat16,20,"
           << stack << ",bench\n";
    } else {
      file << "h100_sxm,gemm," << formats[i % 3] << ",1," << 1 + i << ',' << 1024 * (1 + i % 8) << ','
           << 512 * (1 + i % 16) << ",,,,,,,,50," << stack << ",bench\n";
    }
  }
  return path;
}

void validate_rows(benchmark::State& state) {
  const mlosim::spec::Library library({MLOSIM_SOURCE_DIR});
  const fs::path table = write_table(state.range(0));
  for (auto _ : state) {
    const auto validation = mlosim::compare::validate(library, {table.string()}, {});
    if (validation.rows.size() != static_cast<std::size_t>(state.range(0))) state.SkipWithError("rows were skipped");
    benchmark::DoNotOptimize(validation.overall.mape);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  fs::remove(table);
}
BENCHMARK(validate_rows)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
