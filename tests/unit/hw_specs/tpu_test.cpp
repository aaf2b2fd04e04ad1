// TPUs of hw_specs against published measurements on the device: cycle counts of v4, Pallas block sizes on v5e, traced
// matrix products on v6e and v7. The tables lie beside the repository; where they are not, the tests that read them are
// skipped.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "sim/spec/hardware.hpp"
#include "sim/tile/systolic_array.hpp"
#include "sim/tile/systolic_core.hpp"
#include "sim/tile/systolic_dma.hpp"
#include "sim/tile/systolic_plan.hpp"
#include "tests/support/source_tree.hpp"
#include "validate/suite/csv.hpp"

namespace mlosim {
namespace {

using Row = std::map<std::string, std::string>;

// The rows of a shared table by column; none where the table is not here.
std::vector<Row> shared_rows(const std::string& name) {
  const std::filesystem::path file = support::source_dir() / "../shared/data/tpu" / name;
  std::vector<Row> rows;
  if (!std::filesystem::exists(file)) return rows;
  std::vector<std::string> header;
  for (const std::string& line : support::read_lines(file)) {
    bool torn = false;
    const std::vector<suite::Cell> cells = suite::cells_of(line, torn);
    Row row;
    for (std::size_t i = 0; i < std::min(cells.size(), header.size()); ++i) row[header[i]] = cells[i].text;
    if (!header.empty()) rows.push_back(row);
    if (header.empty())
      for (const suite::Cell& cell : cells) header.push_back(cell.text);
  }
  return rows;
}

double number(const Row& row, const std::string& column) { return std::strtod(row.at(column).c_str(), nullptr); }

spec::SystemSpec system_of(const std::string& name) {
  std::vector<std::string> warnings;
  return spec::require_hardware(spec::Library({support::source_dir().string()}), name, {}, warnings).system;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A transfer as the table measures it: on which path, by how many cores at once, how often there and back.
struct MeasuredPath {
  tile::DmaPath path;
  std::int64_t cores = 1;
  double ways = 1;
};

Seconds unit_latency(const spec::ChipSpec& chip, const char* name) {
  return chip.systolic.units.at(name).latency / chip.clock;
}

MeasuredPath path_of(const Row& row, const spec::SystemSpec& v4) {
  const std::string& path = row.at("path");
  const std::string& topology = row.at("topology");
  const bool round_trip = path == "rtt_vmem", remote = path == "remote_vmem_vmem";
  MeasuredPath m{.path = {}, .cores = std::llround(number(row, "tensorcores")), .ways = round_trip ? 2.0 : 1.0};
  if (!round_trip && !remote) {
    const auto cut = path.find('_');
    m.path =
        tile::path_between(v4.chip, path.substr(0, cut), path == "hbm_host_pinned" ? "host" : path.substr(cut + 1));
    return m;
  }
  if (has(topology, "same chip") || has(topology, "same_chip")) {
    m.path = tile::path_between(v4.chip, "core", "core");
    if (remote) m.path.latency += unit_latency(v4.chip, "local_credit");
    if (has(topology, "duplex")) m.cores = 2;
    return m;
  }
  const double hops = has(topology, "2 hops") ? 2 : 1;
  const BytesPerSecond link = v4.fabric.bandwidth * v4.fabric.efficiency;
  m.path = {.latency = v4.fabric.endpoint_latency + hops * v4.fabric.latency, .core = link, .chip = link};
  if (remote) m.path.latency += hops * v4.fabric.latency + unit_latency(v4.chip, "remote_credit");
  if (has(topology, "both TCs")) m.cores = 2;
  return m;
}

// Reads of four transfers at once from one HBM address take 4.76 clk a KiB, over a ring of addresses 4.20: the path
// knows no addresses.
bool is_covered(const Row& row) {
  const bool four_reads = row.at("path") == "hbm_vmem" && row.at("window_W") == "4";
  return !four_reads;
}

TEST(TpuV4, TransfersTakeTheirMeasuredCycles) {
  const std::vector<Row> rows = shared_rows("tpu_v4_latency_models.csv");
  if (rows.empty()) GTEST_SKIP() << "the shared measurements are not here";
  const spec::SystemSpec v4 = system_of("tpu_v4_pod");
  int covered = 0;
  for (const Row& row : rows) {
    if (!is_covered(row)) continue;
    ++covered;
    const MeasuredPath measured = path_of(row, v4);
    const bool relative = has(row.at("validation_median_err_cycles"), "rel");
    const double own_error = relative ? 0 : number(row, "validation_median_err_cycles");
    for (const double kib : {4.0, 16.0, 64.0, 256.0, 1024.0}) {
      const double cycles = number(row, "base_cycles") + number(row, "cycles_per_KiB_total") * kib;
      const Seconds played =
          measured.ways *
          tile::play_transfers(measured.path, measured.cores, std::llround(number(row, "window_W")), Bytes(1024 * kib));
      EXPECT_NEAR(played * v4.chip.clock, cycles, 0.03 * cycles + own_error)
          << row.at("path") << " " << row.at("topology") << " W " << row.at("window_W") << ", " << kib << " KiB";
    }
  }
  EXPECT_EQ(covered, 49);
}

TEST(TpuV4, VectorUnitsHaveTheirMeasuredLatenciesAndIntervals) {
  const std::vector<Row> rows = shared_rows("tpu_v4_unit_timings.csv");
  if (rows.empty()) GTEST_SKIP() << "the shared measurements are not here";
  const spec::ChipSpec chip = system_of("tpu_v4").chip;
  const std::map<std::string, std::string> units{
      {"vector ALU int", "alu"},      {"vector ALU f32", "float_alu"}, {"EUP", "special"},
      {"scalar load", "scalar_load"}, {"XLU", "lane_permute"},         {"vld", "vector_load"},
  };
  int covered = 0;
  for (const Row& row : rows) {
    for (const auto& [measured, name] : units) {
      if (row.at("unit").rfind(measured, 0) != 0) continue;
      ++covered;
      EXPECT_EQ(chip.systolic.units.at(name).latency, number(row, "latency_cycles")) << name;
      EXPECT_EQ(chip.systolic.units.at(name).interval, number(row, "issue_interval_cycles")) << name;
    }
  }
  EXPECT_EQ(covered, 6);
  // C(N) = 54·⌈N/D⌉ + 2·((N - 1) mod D) + 13 of the table's CMEM loads.
  EXPECT_EQ(chip.systolic.units.at("cmem_load").latency, 54);
  EXPECT_EQ(chip.systolic.units.at("cmem_load").interval, 2);
  EXPECT_EQ(chip.systolic.units.at("bundle").latency, 13);
}

TEST(TpuV4, ProductsAndTransposesInTheScratchpadTakeTheirMeasuredCycles) {
  const std::vector<Row> rows = shared_rows("tpu_ops_measured.csv");
  if (rows.empty()) GTEST_SKIP() << "the shared measurements are not here";
  const spec::ChipSpec chip = system_of("tpu_v4").chip;
  const tile::SystolicMachine machine = tile::build_machine(chip);
  const std::regex product(R"(bf16\[(\d+),(\d+)\]@bf16\[(\d+),(\d+)\] cycles=(\d+))");
  int covered = 0;
  for (const Row& row : rows) {
    std::smatch sizes;
    const std::string& extra = row.at("extra");
    if (std::regex_search(extra, sizes, product)) {
      ++covered;
      const tile::MatrixBlock block{
          .m = std::stod(sizes[1]), .n = std::stod(sizes[4]), .k = std::stod(sizes[2]), .row_granule = 16};
      const double cycles = std::stod(sizes[5]);
      EXPECT_NEAR(tile::play_block(machine, tile::share_out(machine.array, block)), cycles, 0.03 * cycles) << extra;
    }
  }
  EXPECT_GE(covered, 2);
  // x.T of f32[128,128], 268 clk: 16 registers in, 16 out.
  const spec::UnitTiming& transpose = chip.systolic.units.at("transpose");
  EXPECT_NEAR(2 * 16 * transpose.interval + transpose.latency, 268, 0.03 * 268);
}

TEST(TpuV4, AProductOf1024RowsTakesItsMeasuredCycles) {
  const tile::SystolicMachine machine = tile::build_machine(system_of("tpu_v4").chip);
  const tile::ArrayShare share = tile::share_out(machine.array, {.m = 1024, .n = 128, .k = 128, .row_granule = 16});
  EXPECT_EQ(tile::play_block(machine, share), tile::estimate_block(machine.array, share));
  EXPECT_NEAR(tile::play_block(machine, share), 435, 0.01 * 435);  // PTUT
}

// A product by events, as if it were the chip's only kernel.
Seconds played(const spec::ChipSpec& chip, double m, double n, double k,
               const std::optional<tile::SystolicTile>& tile = std::nullopt) {
  const tile::SystolicMachine machine = tile::build_machine(chip);
  const tile::SystolicPlan plan = tile::plan_product(machine, {.m = m, .n = n, .k = k}, tile);
  return tile::play_grid(machine, plan.grid).time;
}

// JAX's own table of a Pallas matmul on v5e; its times are taken on the host, so that the large ones count.
TEST(TpuV5e, TheBlockSizeAloneTakesAProductFrom6To91PercentOfThePeak) {
  const spec::ChipSpec chip = system_of("tpu_v5e").chip;
  const auto share_of_peak = [&](double edge, const tile::SystolicTile& tile) {
    const Seconds time = played(chip, edge, edge, edge, tile);
    return Flops(2 * edge * edge * edge) / time / *chip.matrix_peak(work::DType::bf16);
  };
  EXPECT_NEAR(share_of_peak(4096, {128, 128, 128}), 0.0593, 0.05 * 0.0593);
  EXPECT_NEAR(share_of_peak(8192, {128, 128, 128}), 0.0608, 0.05 * 0.0608);
  EXPECT_NEAR(share_of_peak(8192, {512, 1024, 1024}), 0.915, 0.05 * 0.915);
}

TEST(TpuTraces, LargeProductsTakeTheirTracedTimes) {
  const std::vector<Row> rows = shared_rows("tpu_ops_measured.csv");
  if (rows.empty()) GTEST_SKIP() << "the shared measurements are not here";
  int covered = 0;
  for (const Row& row : rows) {
    if (row.at("method") != "device trace") continue;
    spec::ChipSpec chip = system_of(row.at("device")).chip;
    if (has(row.at("unit"), "half chip")) {  // one of two cores, each with memory of its own
      chip.units /= 2;
      chip.levels.back().bandwidth *= 0.5;
    }
    ++covered;
    const double us = played(chip, number(row, "m"), number(row, "n"), number(row, "k")).si() * 1e6;
    EXPECT_NEAR(us, number(row, "time_us"), 0.06 * number(row, "time_us"))
        << row.at("device") << " " << row.at("m") << " x " << row.at("n") << " x " << row.at("k");
  }
  EXPECT_GE(covered, 5);
}

TEST(TpuV7, CopiesApproachTheirMeasuredRateWithTheirSize) {
  const std::vector<Row> rows = shared_rows("tpu_ops_measured.csv");
  if (rows.empty()) GTEST_SKIP() << "the shared measurements are not here";
  spec::ChipSpec chip = system_of("tpu_v7").chip;
  chip.units = 1;
  chip.levels.back().bandwidth *= 0.5;
  const tile::SystolicMachine machine = tile::build_machine(chip);
  const Bytes block = chip.elementwise.standard.in_flight;
  const std::regex size(R"(bytes=(\d+))");
  int covered = 0;
  for (const Row& row : rows) {
    std::smatch match;
    if (row.at("op") != "hbm_copy" || !std::regex_search(row.at("extra"), match, size)) continue;
    ++covered;
    const Bytes bytes(std::stod(match[1]));
    const auto blocks = static_cast<std::int64_t>(bytes / block);
    const tile::SystolicGrid grid{.runs = {{{.in = block, .out = block, .scalar = machine.step}, 1}}, .turns = blocks};
    const Seconds time = chip.elementwise.standard.fixed + tile::play_grid(machine, grid).time;
    const double measured = number(row, "gbps");
    EXPECT_NEAR(2 * bytes.si() / time.si() / 1e9, measured, 0.2 * measured) << match[1];
    if (bytes < Bytes(128e6)) continue;
    EXPECT_NEAR(2 * bytes.si() / time.si() / 1e9, measured, 0.03 * measured) << match[1];
  }
  EXPECT_EQ(covered, 10);
}

}  // namespace
}  // namespace mlosim
