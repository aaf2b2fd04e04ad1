// What is laid over a workload: --set, --system, --chips and the file's own overrides, from standard input, names and
// paths.
#include <string>
#include <utility>

#include "tests/cli/workplace.hpp"

namespace mlosim::cli_test {
namespace {

class Settings : public Workplace {};

TEST_F(Settings, AWorkloadIsReadFromAFileAPathANameAndStandardInput) {
  write("small.yaml", kSmall);
  write("plain", kSmall);
  const std::string expected = predict(kSmall).out;
  EXPECT_EQ(mlosim("predict small.yaml").out, expected);
  EXPECT_EQ(mlosim("predict ./plain").out, expected);
  EXPECT_EQ(mlosim("predict " + path("small.yaml")).out, expected);
  EXPECT_EQ(mlosim("predict llama-3.1-8b_generate_h100").exit_code, 0);
}

TEST_F(Settings, AFileMayHaveAByteOrderMarkAndCarriageReturns) {
  const std::string expected = predict(kSmall).out;
  std::string returns;
  for (const char c : kSmall) returns += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_EQ(predict("\xEF\xBB\xBF" + kSmall).out, expected);
  EXPECT_EQ(predict(returns).out, expected);
  EXPECT_EQ(predict("\xEF\xBB\xBF" + returns).out, expected);
}

TEST_F(Settings, SetChangesAFieldOfTheWorkload) {
  const std::string larger = with(kSmall, "batch: 8", "batch: 32");
  EXPECT_EQ(predict(kSmall, "--set inference.batch=32").out, predict(larger).out);
  EXPECT_EQ(predict(kSmall, "--set inference.batch=4 --set inference.batch=32").out, predict(larger).out);
}

TEST_F(Settings, SetReachesAnOperatorByItsPosition) {
  const std::string ops =
      "schema: mlosim/workload/1\nname: ops\ntask: ops\nsystem: h100_sxm\nops:\n  - {op: gemm, m: 64, n: 4096, k: "
      "4096}\n";
  EXPECT_EQ(predict(ops, "--set ops.0.m=512").out, predict(with(ops, "m: 64", "m: 512")).out);
  EXPECT_EQ(predict(ops, "--set ops.1.m=512").exit_code, 2);
}

TEST_F(Settings, SystemAndChipsAreTheWorkloadsOwnKeys) {
  EXPECT_EQ(predict(kSmall, "--system h200_sxm").out, predict(with(kSmall, "h100_sxm", "h200_sxm")).out);
  const std::string node = with(kSmall, "h100_sxm", "dgx_h100");
  EXPECT_EQ(predict(node, "--chips 4").out, predict(node + "chips: 4\n").out);
  EXPECT_EQ(predict_json(node, "--chips 4")["chips"], 4);
}

TEST_F(Settings, ChipsAloneAreTensorParallel) {
  const std::string node = with(kSmall, "h100_sxm", "dgx_h100");
  EXPECT_EQ(predict_json(node, "--chips 8")["time_s"], predict_json(node + "parallelism: {tp: 8}\n")["time_s"]);
}

TEST_F(Settings, MoreChipsThanTheParallelismHasAreReplicas) {
  const std::string node = with(kSmall, "h100_sxm", "dgx_h100") + "parallelism: {tp: 4}\n";
  const CommandResult result = predict(node, "--chips 8 --format json");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("dp is 2"), std::string::npos) << result.err;
}

// More of a resource is faster, and the reverse.
TEST_F(Settings, AChipParameterMovesTheTimeInItsDirection) {
  const double base = time_of(kSmall);
  EXPECT_LT(time_of(kSmall, "--set 'system.chip.hbm.bandwidth=6.7 TB/s'"), 0.8 * base);
  EXPECT_GT(time_of(kSmall, "--set 'system.chip.hbm.bandwidth=1.6 TB/s'"), 1.5 * base);
  EXPECT_GT(time_of(kSmall, "--set 'chip.gemm.fixed=20 us'"), base);
  const std::string prefill = with(kSmall, "task: decode", "task: prefill");
  const double busy = time_of(prefill);
  EXPECT_GT(time_of(prefill, "--set 'chip.clock=1830 MHz'"), busy);
  EXPECT_GT(time_of(prefill, "--set 'chip.power.cap=350 W'"), 1.1 * busy);
  EXPECT_LT(time_of(prefill, "--set 'chip.power.cap=1400 W'"), busy);
  const std::string node = with(kSmall, "h100_sxm", "dgx_h100") + "parallelism: {tp: 8}\n";
  EXPECT_GT(time_of(node, "--set 'system.fabric.bandwidth=20 GB/s'"), time_of(node));
}

TEST_F(Settings, SystemChipAndChipAreTheSamePlace) {
  EXPECT_EQ(predict(kSmall, "--set 'system.chip.hbm.bandwidth=6 TB/s'").out,
            predict(kSmall, "--set 'chip.hbm.bandwidth=6 TB/s'").out);
}

TEST_F(Settings, OverridesOfTheFileMeanWhatSetMeans) {
  const std::string file = kSmall + "overrides: {system.chip.hbm.bandwidth: 6 TB/s, inference.batch: 16}\n";
  EXPECT_EQ(predict(file).out,
            predict(kSmall, "--set 'system.chip.hbm.bandwidth=6 TB/s' --set inference.batch=16").out);
}

TEST_F(Settings, TheCommandLineGoesOverTheFilesOverrides) {
  const std::string file = kSmall + "overrides: {chip.hbm.bandwidth: 6 TB/s}\n";
  EXPECT_EQ(time_of(file, "--set 'chip.hbm.bandwidth=5 TB/s'"), time_of(kSmall, "--set 'chip.hbm.bandwidth=5 TB/s'"));
}

TEST_F(Settings, AFieldOfTheRuntimeIsSetWhetherItWasNamedOrNot) {
  const double graphs = time_of(kSmall, "--set runtime.graphs=true"),
               eager = time_of(kSmall, "--set runtime.graphs=false");
  EXPECT_LT(graphs, eager);
  EXPECT_EQ(time_of(kSmall + "runtime: trtllm\n", "--set runtime.graphs=false"),
            time_of(kSmall + "runtime: {framework: trtllm, graphs: false}\n"));
}

TEST_F(Settings, AFieldOfTheModelIsSetByItsName) {
  EXPECT_LT(time_of(kSmall, "--set model.layers=16"), 0.7 * time_of(kSmall));
  EXPECT_EQ(predict(kSmall, "--set model.laiers=16").exit_code, 2);
}

TEST_F(Settings, AFileOfTheChipAloneMayStandForTheSystem) {
  write("mine.yaml", with(mlosim("show h100_sxm").out, "name: h100_sxm", "name: mine"));
  const auto json = predict_json(kSmall, "--system ./mine.yaml");
  EXPECT_EQ(json["system"], "mine");
  EXPECT_EQ(json["time_s"], predict_json(kSmall)["time_s"]);
}

}  // namespace
}  // namespace mlosim::cli_test
