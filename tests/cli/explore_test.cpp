// mlosim explore as a user runs it: results, stores that are resumed, shared and wrong ones, several processes.
#include <chrono>
#include <cmath>
#include <filesystem>
#include <set>
#include <string>
#include <thread>

#include "tests/cli/workplace.hpp"

namespace mlosim::cli_test {
namespace {

const std::string kStudy =
    "schema: mlosim/study/1\n"
    "name: bandwidth and batch\n"
    "workload: {schema: mlosim/workload/1, name: d, model: llama-3.1-8b, task: decode, system: dgx_h100, precision: "
    "bf16, inference: {batch: 8, prompt: 1024, output: 128}}\n"
    "axes:\n"
    "  system.chip.hbm.bandwidth: {from: 2 TB/s, to: 8 TB/s, steps: 20}\n"
    "  system.chip.l2.capacity: {from: 16 MiB, to: 160 MiB, by: 16 MiB}\n"
    "  inference.batch: [1, 4, 16, 64, 4096]\n"
    "  parallelism.tp: [1, 3, 8]\n"
    "constraints: [\"power_w_per_chip <= 650 W\"]\n"
    "objectives: [tpot_s, tokens_per_s_per_chip]\n";

class Explore : public Workplace {
 protected:
  void SetUp() override { write("s.yaml", kStudy); }

  // The study in one go, as JSON.
  std::string in_one_go(const std::string& options = "") const {
    const CommandResult result = mlosim("explore s.yaml --store whole.study --format json " + options);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    std::filesystem::remove(path("whole.study"));
    return result.out;
  }
  CommandResult shell(const std::string& command) const {
    // Open MPI itself leaves memory behind, which is no leak of ours.
    return support::run_command("export ASAN_OPTIONS=\"$ASAN_OPTIONS:detect_leaks=0\"; MLOSIM=" +
                                    support::shell_quoted(MLOSIM_BINARY) + "; " + command,
                                path("."));
  }
};

TEST_F(Explore, APointIsWhatPredictSaysOfIt) {
  const auto json = nlohmann::json::parse(in_one_go());
  EXPECT_EQ(json["schema"], "mlosim/study-result/1");
  EXPECT_EQ(json["points"], 3000);
  const auto number = json["front"][0].get<std::size_t>();
  const auto& point = json["kept"][number];
  const std::string workload = "schema: mlosim/workload/1\n" + kStudy.substr(kStudy.find("name: d"), 0) +
                               "name: d\nmodel: llama-3.1-8b\ntask: decode\nsystem: dgx_h100\nprecision: bf16\n"
                               "inference: {batch: 8, prompt: 1024, output: 128}\n";
  const auto set = [&](const std::string& path, const std::string& unit) {
    return " --set '" + path + "=" + point["values"][path].dump() + unit + "'";
  };
  const auto predicted = predict_json(workload, "--fidelity analytic" + set("system.chip.hbm.bandwidth", " B/s") +
                                                    set("system.chip.l2.capacity", " B") + set("inference.batch", "") +
                                                    set("parallelism.tp", ""));
  EXPECT_EQ(predicted["time_s"], point["metrics"]["d"]["time_s"]);
  EXPECT_EQ(predicted["energy_j"], point["metrics"]["d"]["energy_j"]);
}

TEST_F(Explore, ALayoutIsPricedWithTheBatchThatALinkedAxisOrADerivedPathSets) {
  const std::string workload =
      "{schema: mlosim/workload/1, name: t, model: llama-3.1-8b, task: train, system: dgx_h100, chips: 8, precision: "
      "bf16, parallelism: {tp: 8}, train: {global_batch: 64, micro_batch: 1, sequence: 4096, recompute: full}}";
  const std::string layout =
      "method: {best_parallelism: {tp: 8, pp: 1, cp: 1, micro_batch: 1, virtual_stages: 1, zero: 0, schedule: 1f1b, "
      "recompute: full, sp: true, overlap.grad_reduce: true, overlap.param_gather: true, overlap.tp: true}}\n"
      "objectives: [time_s]\n";
  const double expected = predict_json(
      "{schema: mlosim/workload/1, name: t, model: llama-3.1-8b, task: train, system: "
      "dgx_h100, chips: 16, precision: bf16, parallelism: {tp: 8, dp: 2, sp: true}, "
      "train: {global_batch: 128, micro_batch: 1, sequence: 4096, recompute: full}}",
      "--fidelity analytic")["time_s"];
  for (const std::string axes : {"axes: {scale: [{chips: 16, train.global_batch: 128}]}\n",
                                 "axes: {chips: [16]}\nderived: {train.global_batch: \"chips * 8\"}\n"}) {
    write("t.yaml", "schema: mlosim/study/1\nname: t\nworkload: " + workload + "\n" + axes + layout);
    const CommandResult result = mlosim("explore t.yaml --store t.study --format json");
    ASSERT_EQ(result.exit_code, 0) << result.err;
    std::filesystem::remove(path("t.study"));
    const auto json = nlohmann::json::parse(result.out);
    ASSERT_EQ(json["kept"].size(), 1U) << axes;
    EXPECT_EQ(json["kept"][0]["metrics"]["t"]["time_s"], expected) << axes;
  }
}

// A rated clock above the highest is a mistake, unless another axis raises that.
TEST_F(Explore, NumbersThatStandOnlyTogetherAreAxesOfOneStudy) {
  const std::string study =
      "schema: mlosim/study/1\nname: t\nworkload: llama-3.1-70b_decode_dgx_h200\nkeep: all\n"
      "objectives: [tokens_per_joule, usd_per_million_tokens]\n";
  write("t.yaml", study + "axes: {chip.clock: [1700 MHz], chip.rated_clock: [1500 MHz], chips: [8]}\n");
  const CommandResult result = mlosim("explore t.yaml --format json --points t.csv");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const CommandResult predicted = mlosim(
      "predict llama-3.1-70b_decode_dgx_h200 --fidelity analytic --format json --set 'chip.clock=1700 MHz' "
      "--set 'chip.rated_clock=1500 MHz' --set chips=8");
  ASSERT_EQ(predicted.exit_code, 0) << predicted.err;
  const auto point = nlohmann::json::parse(result.out)["kept"][0], json = nlohmann::json::parse(predicted.out);
  for (const char* figure : {"time_s", "tokens_per_joule", "usd_per_million_tokens"})
    EXPECT_EQ(point["metrics"].begin().value()[figure], json[figure]) << figure;
  const std::string header = read("t.csv").substr(0, read("t.csv").find('\n'));
  EXPECT_EQ(header.find(",chips,"), header.rfind(",chips,")) << "what is set is not told again: " << header;
  write("t.yaml", study + "axes: {chip.clock: [1100 MHz]}\n");
  expect_refused(mlosim("explore t.yaml --store other.study"), {"rated clock is above the highest clock"});
}

TEST_F(Explore, InfeasiblePointsAreKeptWithTheirReason) {
  const auto json = nlohmann::json::parse(in_one_go());
  EXPECT_LT(json["feasible"], json["points"]);
  std::set<std::string> reasons;
  for (const auto& point : json["kept"]) {
    if (!point["feasible"].get<bool>()) reasons.insert(point["reason"].get<std::string>());
  }
  EXPECT_TRUE(reasons.contains("does not fit its memory"));
  EXPECT_TRUE(reasons.contains("parallelism.tp: 32 heads cannot be cut 3 ways")) << *reasons.begin();
}

TEST_F(Explore, AnyNumberOfThreadsGivesTheSameBytes) {
  const std::string one = in_one_go("--jobs 1");
  EXPECT_EQ(in_one_go("--jobs 4"), one);
  EXPECT_EQ(in_one_go("--jobs 2"), one);
}

TEST_F(Explore, KilledAtAnyMomentAndResumedItGivesTheSameBytes) {
  const std::string whole = in_one_go("--points whole.csv");
  for (const char* moment : {"0.05", "0.2", "0.3", "0.4"}) {
    shell(
        "$MLOSIM explore s.yaml --jobs 1 --resume & for i in $(seq 400); do [ -e s.study ] && break; sleep 0.05; done; "
        "sleep " +
        std::string(moment) + "; kill -9 $!; wait");
  }
  ASSERT_TRUE(has("s.study"));
  const CommandResult resumed = mlosim("explore s.yaml --resume --format json --points resumed.csv");
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(resumed.out, whole);
  EXPECT_EQ(read("resumed.csv"), read("whole.csv"));
  EXPECT_EQ(mlosim("explore s.yaml --resume --format json").out, whole) << "what is finished is only drawn together";
}

TEST_F(Explore, InterruptedItLeavesAValidStoreAndSaysSo) {
  const CommandResult result =
      shell("$MLOSIM explore s.yaml --jobs 1 & sleep 0.3; kill -INT $!; wait $!; echo code $?");
  if (result.out.find("code 0") != std::string::npos) GTEST_SKIP() << "the study was over too soon";
  EXPECT_EQ(result.out, "code 130\n");
  EXPECT_NE(result.err.find("--resume goes on from there"), std::string::npos) << result.err;
  EXPECT_EQ(mlosim("explore s.yaml --resume --format json").out, in_one_go());
}

TEST_F(Explore, AStoreIsNotLostToASecondRun) {
  EXPECT_EQ(mlosim("explore s.yaml").exit_code, 0);
  expect_refused(mlosim("explore s.yaml"), {"s.study", "there are results of this study already", "--resume"});
  write("s.yaml", with(kStudy, "[1, 4, 16, 64, 4096]", "[1, 4]"));
  expect_refused(mlosim("explore s.yaml --resume"), {"has changed"});
  write("t.yaml", with(kStudy, "name: bandwidth and batch", "name: other"));
  expect_refused(mlosim("explore t.yaml --resume --store s.study"), {"another study"});
  write("s.yaml", kStudy);
  EXPECT_EQ(mlosim("explore s.yaml --resume").exit_code, 0);
}

TEST_F(Explore, AStoreInUseIsRefused) {
  const CommandResult result = shell(
      "$MLOSIM explore s.yaml --jobs 1 > first.txt & sleep 0.2; $MLOSIM explore s.yaml --resume; echo code $?; wait");
  if (result.out.find("code 0") != std::string::npos) GTEST_SKIP() << "the first was over too soon";
  EXPECT_EQ(result.out, "code 2\n");
  EXPECT_NE(result.err.find("in use by another process"), std::string::npos) << result.err;
  EXPECT_NE(read("first.txt").find("3000 looked at"), std::string::npos);
}

TEST_F(Explore, AFullDiskIsSaidAndNothingIsLost) {
  // A limit on the size of files is what a full disk is to a program.
  const CommandResult result = shell("trap '' XFSZ; ulimit -f 200; $MLOSIM explore s.yaml; echo code $?");
  EXPECT_EQ(result.out, "code 2\n") << result.err;
  EXPECT_NE(result.err.find("s.study"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("what is in it is kept"), std::string::npos) << result.err;
  EXPECT_EQ(mlosim("explore s.yaml --resume --format json").out, in_one_go());
}

TEST_F(Explore, WrongStudiesAreRefusedBeforeTheFirstPoint) {
  const auto refused = [&](const std::string& from, const std::string& to, const std::vector<std::string>& words) {
    write("w.yaml", with(kStudy, from, to));
    expect_refused(mlosim("explore w.yaml"), words);
    EXPECT_FALSE(has("w.study"));
    EXPECT_EQ(mlosim("check w.yaml").exit_code, 2);
  };
  refused("hbm.bandwidth:", "hbm.bandwith:",
          {"w.yaml:5:3", "axes.system.chip.hbm.bandwith", "'system.chip.hbm.bandwidth'"});
  refused("{from: 2 TB/s, to: 8 TB/s, steps: 20}", "[4 W]", {"w.yaml:5:", "expected a data rate"});
  refused("[1, 4, 16, 64, 4096]", "[]", {"the axis is empty"});
  refused("power_w_per_chip <= 650 W", "power_w_per_chip <= 650 W\", \"power_w_per_chip >= 700 W", {"contradicting"});
  refused("objectives: [tpot_s,", "objectives: [ttft_s,", {"ttft_s"});
  refused("objectives:", "objective:", {"did you mean 'objectives'?"});
}

TEST_F(Explore, AMistakeThatIsFoundLateLeavesNoStore) {
  write("w.yaml", kStudy + "method: {random: {points: 3000000}}\nkeep: all\n");
  expect_refused(mlosim("explore w.yaml"), {"w.yaml", "3000000 points are more than can be kept"});
  EXPECT_FALSE(has("w.study"));
  EXPECT_EQ(mlosim("check w.yaml").exit_code, 2);
  const std::string two =
      with(with(kStudy, "workload: {", "workloads:\n  - {"), "inference: {batch: 8, prompt: 1024, output: 128}}",
           "inference: {batch: 8, prompt: 1024, output: 128}}\n  - llama-3.1-70b_decode_dgx_h200");
  write("w.yaml", with(two, "objectives: [tpot_s,", "objectives: [{minimize: tpot_s - 1 s, name: x},"));
  expect_refused(mlosim("explore w.yaml"), {"w.yaml", "'x' is below zero at a point", "combine: mean"});
  EXPECT_FALSE(has("w.study"));
}

TEST_F(Explore, APointIsRunWithTheDegreesThatItSays) {
  write("s.yaml",
        with(with(kStudy, "inference: {batch: 8", "chips: 4, inference: {batch: 8"), "[1, 3, 8]", "[2, 4, 8]"));
  const auto json = nlohmann::json::parse(in_one_go());
  for (const auto& point : json["kept"]) {
    if (point["values"]["parallelism.tp"] != 8) continue;
    EXPECT_EQ(point.value("reason", ""), "parallelism.tp: 8 does not go with 4 chips, which make it 4");
  }
  EXPECT_EQ(json["infeasible"][0]["reason"], "parallelism.tp: # does not go with # chips, which make it #");
}

TEST_F(Explore, AStackThatAMachineDoesNotRunIsNoPointOfAnother) {
  const std::string workload = kStudy.substr(0, kStudy.find("axes:"));
  write("s.yaml",
        workload +
            "axes: {system: [dgx_h100, tpu_v6e_pod], runtime.framework: [vllm, xla], inference.batch: [4, 8]}\n"
            "objectives: time_s\n");
  const auto json = nlohmann::json::parse(in_one_go());
  int refused = 0;
  for (const auto& point : json["kept"]) {
    const auto& values = point["values"];
    if ((values["system"] == "dgx_h100") == (values["runtime.framework"] == "vllm")) continue;
    EXPECT_NE(point.value("reason", "").find("does not run on chips of"), std::string::npos) << point.dump();
    ++refused;
  }
  EXPECT_EQ(refused, 4);
}

TEST_F(Explore, ConstraintsAreAsStrictAsTheySay) {
  const auto feasible = [&](const std::string& constraint) {
    write("s.yaml", with(kStudy, "power_w_per_chip <= 650 W", constraint));
    std::filesystem::remove(path("s.study"));
    const CommandResult result = mlosim("explore s.yaml --format json");
    return nlohmann::json::parse(result.out)["feasible"].get<int>();
  };
  const int below = feasible("inference.batch < 16"), at_most = feasible("inference.batch <= 16");
  EXPECT_EQ(at_most - below, feasible("inference.batch == 16"));
  EXPECT_EQ(below, feasible("inference.batch <= 4"));
  EXPECT_EQ(feasible("(parallelism.tp - 1)^-1 <= 9"), feasible("parallelism.tp > 1")) << "infinity is no bound kept";
}

TEST_F(Explore, ASearchMayHaveAxesOfOneValueAndKeepItsFront) {
  write("s.yaml", with(with(kStudy, "[1, 3, 8]", "[8]"), "[1, 4, 16, 64, 4096]", "{from: 1, to: 64}") +
                      "method: {nsga2: {population: 16, generations: 6}}\n");
  const auto all = nlohmann::json::parse(in_one_go());
  EXPECT_EQ(all["kept"].size(), all["points"].get<std::size_t>());
  std::set<std::string> designs;
  for (const auto& number : all["best"]) {
    const auto& values = all["kept"][number.get<std::size_t>()]["values"];
    EXPECT_EQ(values["parallelism.tp"], 8);
    EXPECT_EQ(values["inference.batch"].get<double>(), std::floor(values["inference.batch"].get<double>()));
    EXPECT_TRUE(designs.insert(values.dump()).second) << "one design twice: " << values.dump();
  }
  write("s.yaml", read("s.yaml") + "keep: front\n");
  const auto front = nlohmann::json::parse(in_one_go());
  EXPECT_EQ(front["front"], all["front"]);
  EXPECT_EQ(front["best"], all["best"]);
  EXPECT_LT(front["kept"].size(), all["kept"].size());
  EXPECT_FALSE(front["has_all_points"].get<bool>());
}

TEST_F(Explore, WhatIsWrittenDoesNotOverwriteOneAnother) {
  expect_refused(mlosim("explore s.yaml --points a.csv --html ./a.csv"), {"--points and --html are one file"});
  expect_refused(mlosim("explore s.yaml --points s.study"), {"s.study", "--store and --points are one file"});
  EXPECT_FALSE(has("s.study"));
  EXPECT_FALSE(has("a.csv"));
}

TEST_F(Explore, AStudyFromStandardInputIsKeptUnderItsName) {
  const std::string small = with(kStudy, "steps: 20", "steps: 2");
  EXPECT_EQ(mlosim("explore -", small).exit_code, 0);
  EXPECT_TRUE(has("bandwidth and batch.study"));
  const std::string slash = with(small, "name: bandwidth and batch", "name: bandwidth/batch");
  expect_refused(mlosim("explore -", slash), {"'bandwidth/batch'", "--store"});
  EXPECT_EQ(mlosim("explore - --store x.study", slash).exit_code, 0);
}

TEST_F(Explore, AStudyWithoutAFeasiblePointIsAnsweredNo) {
  write("s.yaml", with(kStudy, "<= 650 W", "<= 1 W"));
  const CommandResult result = mlosim("explore s.yaml");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.out.find("constraint power_w_per_chip <= 1 W"), std::string::npos) << result.out;
  EXPECT_NE(result.err.find("no point of the study is feasible"), std::string::npos);
}

TEST_F(Explore, SearchesAreReproducibleAndResumed) {
  for (const std::string method : {"{random: {points: 300, seed: 2}}", "{latin_hypercube: {points: 300}}",
                                   "{nsga2: {population: 32, generations: 12, seed: 5}}"}) {
    write("s.yaml", with(kStudy, "steps: 20}", "scale: log}") + "method: " + method + "\n");
    std::filesystem::remove(path("s.study"));
    const std::string whole = in_one_go("--jobs 1");
    EXPECT_EQ(in_one_go("--jobs 3"), whole) << method;
    shell("$MLOSIM explore s.yaml --jobs 1 & sleep 0.25; kill -9 $!; wait");
    EXPECT_EQ(mlosim("explore s.yaml --resume --format json").out, whole) << method;
  }
}

TEST_F(Explore, SeveralProcessesGiveTheSameBytes) {
  const std::string mpirun = "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe -n 3 ";
  if (shell(mpirun + "true").exit_code != 0) GTEST_SKIP() << "mpirun does not run here";
  const std::string whole = in_one_go();
  const CommandResult together = shell(mpirun + "$MLOSIM explore s.yaml --jobs 1 --format json");
  EXPECT_EQ(together.exit_code, 0) << together.err;
  EXPECT_EQ(together.out, whole);
}

TEST_F(Explore, ProcessesThatAreLostCostNoPoint) {
  const std::string mpirun =
      "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe --enable-recovery -n 4 ";
  if (shell(mpirun + "true").exit_code != 0) GTEST_SKIP() << "mpirun does not run here";
  const std::string whole = in_one_go();
  // Ranks 1 and 2 end soon after there is a store, while they have chunks to evaluate.
  write("lost.sh",
        "case $OMPI_COMM_WORLD_RANK in\n"
        "1|2) \"$@\" & for i in $(seq 1000); do [ -e s.study ] && break; sleep 0.02; done\n"
        "  sleep 0.0$((4 * OMPI_COMM_WORLD_RANK)); kill -9 $!; wait; kill -9 $$;;\n"
        "esac\n"
        "exec \"$@\"\n");
  const CommandResult together = shell(mpirun + "sh lost.sh $MLOSIM explore s.yaml --jobs 1 --format json");
  EXPECT_EQ(together.out, whole) << together.err;
  EXPECT_NE(together.err.find("a process of the study was lost"), std::string::npos) << together.err;
}

TEST_F(Explore, BuiltInStudiesAreListedAndRun) {
  EXPECT_NE(mlosim("list studies").out.find("gpu_bandwidth_against_l2"), std::string::npos);
  EXPECT_EQ(mlosim("check llama-3.1-405b_layouts_4096_h100").exit_code, 0);
  for (const std::string study : {"gpu_bandwidth_against_l2", "next_tpu_at_constant_area"}) {
    const CommandResult result = mlosim("explore " + study);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.out.find("Pareto front"), std::string::npos);
    EXPECT_TRUE(has(study + ".study"));
  }
}

TEST_F(Explore, LayoutsAreSearchedForEachDesign) {
  write("l.yaml",
        "schema: mlosim/study/1\nname: layouts\nworkload: llama-3.1-8b_train_tpu_v6e\noverrides: {chips: 64}\n"
        "axes: {chip.hbm.bandwidth: [1 TB/s, 2 TB/s]}\n"
        "method: {best_parallelism: {cp: 1, pp: {max: 2}, virtual_stages: 1, micro_batch: {max: 2}, sp: true, zero: "
        "[0, 3], "
        "schedule: 1f1b, recompute: [none, full], overlap.grad_reduce: true, overlap.param_gather: true, overlap.tp: "
        "true}}\n"
        "objectives: [time_s, energy_j]\nkeep: front\n");
  const CommandResult result = mlosim("explore l.yaml --format json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["best_layouts"].size(), 2U);
  EXPECT_LT(json["kept"].size(), json["feasible"].get<std::size_t>());
  std::filesystem::remove(path("l.study"));
  EXPECT_EQ(mlosim("explore l.yaml --format json --jobs 3").out, result.out);
}

}  // namespace
}  // namespace mlosim::cli_test
