// mlosim validate as its users run it.

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "tests/cli/workplace.hpp"

namespace mlosim::cli_test {
namespace {

using testing::HasSubstr;

class Validate : public Workplace {
 protected:
  void SetUp() override {
    write("t.csv",
          "device,op,dtype,batch,m,n,k,time_us,power_w,flag,software,source\n"
          "h100_sxm,gemm,bfloat16,1,4096,4096,4096,200,,,torch,mlosim/cuda\n"
          "h100_sxm,gemm,bfloat16,1,8192,8192,8192,1500,,,torch,mlosim/cuda\n"
          "h100_sxm,gemm,bfloat16,1,16,8192,8192,60,,suspect,torch,mlosim/cuda\n"
          "h100_sxm,microbenchmark,bfloat16,1,16,8192,8192,60,,,torch,mlosim/cuda\n");
  }
  nlohmann::json json(const std::string& arguments) {
    const CommandResult result = mlosim("validate --format json " + arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out);
  }
};

TEST_F(Validate, JsonHasTheFieldsOfTheContract) {
  const nlohmann::json j = json("t.csv");
  EXPECT_EQ(j.at("rows"), 2);
  EXPECT_EQ(j.at("skipped").size(), 2u);
  EXPECT_EQ(j.at("skipped").at(0).at("row"), "t.csv:4");
  EXPECT_EQ(j.at("skipped").at(0).at("reason"), "flagged 'suspect'");
  ASSERT_EQ(j.at("groups").size(), 1u);
  const nlohmann::json group = j.at("groups").at(0);
  EXPECT_EQ(group.at("device"), "h100_sxm");
  EXPECT_EQ(group.at("op"), "gemm");
  EXPECT_EQ(group.at("dtype"), "bfloat16");
  for (const char* field : {"rows", "mape", "median_ape", "p90_ape", "bias", "interval_coverage"}) {
    EXPECT_TRUE(group.at(field).is_number()) << field;
    EXPECT_EQ(group.at(field), j.at("overall").at(field)) << field;
  }
  EXPECT_GT(group.at("baseline_mape").at("roofline"), 0);
  EXPECT_TRUE(group.at("baseline_mape").at("three_constants").is_number());
  EXPECT_EQ(j.at("worst").size(), 2u);
}

// Of what ships of training and of whole generations every row is predicted; the bounds are loose, since what the
// sources leave open is in them.
TEST_F(Validate, TheShippedSuitesOfTrainingArePredictedRowByRow) {
  for (const auto& [suite, rows, mape] :
       {std::tuple("megatron_a100_iterations", 8, 0.06), std::tuple("megatron_scaling", 13, 0.20),
        std::tuple("megatron_bridge_training", 15, 0.20), std::tuple("mosaicml_training", 15, 0.10),
        std::tuple("maxtext_training", 15, 0.12), std::tuple("trtllm_static_batches", 8, 0.20)}) {
    const nlohmann::json j = json(std::string(suite) + " --fidelity analytic");
    EXPECT_EQ(j.at("rows"), rows) << suite;
    EXPECT_TRUE(j.at("skipped").empty()) << suite;
    EXPECT_LT(j.at("overall").at("mape"), mape) << suite;
  }
}

TEST_F(Validate, FlaggedRowsAreTakenOnRequest) { EXPECT_EQ(json("t.csv --flagged").at("rows"), 3); }

TEST_F(Validate, GroupsAreByTheKeysAskedFor) {
  const nlohmann::json group = json("t.csv --group-by software,op").at("groups").at(0);
  EXPECT_EQ(group.at("software"), "torch");
  EXPECT_FALSE(group.contains("device"));
  expect_refused(mlosim("validate t.csv --group-by devise"), {"devise", "device"});
  expect_refused(mlosim("validate t.csv --group-by device,op,device"), {"'device' twice"});
}

TEST_F(Validate, TextShowsGroupsBaselinesWorstRowsAndReasons) {
  const CommandResult result = mlosim("validate t.csv");
  EXPECT_EQ(result.exit_code, 0);
  for (const char* word : {"MAPE", "3 const.", "roofline", "worst rows", "t.csv:", "skipped: 2 rows", "flagged"})
    EXPECT_THAT(result.out, HasSubstr(word));
}

TEST_F(Validate, PredictionsAreWrittenBesideTheRows) {
  EXPECT_EQ(mlosim("validate t.csv --predictions p.csv").exit_code, 0);
  const std::string text = read("p.csv");
  EXPECT_THAT(text, testing::StartsWith("device,op,dtype,batch,m,n,k,time_us,power_w,flag,software,source,"
                                        "predicted_us,low_us,high_us\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  expect_refused(mlosim("validate t.csv --predictions nowhere/p.csv"), {"nowhere/p.csv"});
  EXPECT_EQ(mlosim("validate p.csv --predictions again.csv").exit_code, 0);
  EXPECT_EQ(read("again.csv"), text);
}

TEST_F(Validate, AnOutputNeverTakesThePlaceOfASuite) {
  const std::string table = read("t.csv");
  std::filesystem::create_symlink("t.csv", path("link.csv"));
  for (const char* output : {"t.csv", "./t.csv", "link.csv"}) {
    expect_refused(mlosim(std::string("validate t.csv --predictions ") + output), {output, "would be lost"});
    expect_refused(mlosim(std::string("validate t.csv --residuals ") + output), {output, "would be lost"});
  }
  EXPECT_EQ(read("t.csv"), table);
}

TEST_F(Validate, AnOutputKeepsItsPermissionsAndLinksTheirPlace) {
  namespace fs = std::filesystem;
  write("real.csv", "old");
  fs::permissions(path("real.csv"), fs::perms(0640));
  fs::create_symlink("real.csv", path("p.csv"));
  write("real.csv.part", "my own");
  EXPECT_EQ(mlosim("validate t.csv --predictions p.csv").exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(path("p.csv")));
  EXPECT_THAT(read("real.csv"), HasSubstr("predicted_us"));
  EXPECT_EQ(fs::status(path("real.csv")).permissions(), fs::perms(0640));
  EXPECT_EQ(read("real.csv.part"), "my own");
  EXPECT_FALSE(has("real.csv.part1"));
  fs::create_symlink("later.csv", path("ahead.csv"));
  EXPECT_EQ(mlosim("validate t.csv --predictions ahead.csv").exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(path("ahead.csv")));
  EXPECT_EQ(read("later.csv"), read("real.csv"));
}

TEST_F(Validate, APipeOrADeviceIsWrittenToAsItIs) {
  EXPECT_EQ(mlosim("validate t.csv --predictions /dev/null").exit_code, 0);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  expect_refused(mlosim("validate t.csv --predictions /dev/full"), {"/dev/full", "cannot be written"});
  const CommandResult piped =
      support::run_command("mkfifo pipe; cat pipe > got.csv & env -u MLOSIM_PATH " +
                               support::shell_quoted(MLOSIM_BINARY) + " validate t.csv --predictions pipe && wait",
                           path("."));
  EXPECT_EQ(piped.exit_code, 0) << piped.err;
  EXPECT_TRUE(std::filesystem::is_fifo(path("pipe")));
  EXPECT_THAT(read("got.csv"), HasSubstr("predicted_us"));
}

TEST_F(Validate, AnOutputIsAFile) {
  expect_refused(mlosim("validate t.csv --predictions -"), {"standard output"});
  EXPECT_FALSE(has("-"));
  std::filesystem::create_directory(path("folder"));
  expect_refused(mlosim("validate t.csv --predictions folder"), {"folder", "it is a folder"});
}

TEST_F(Validate, ResidualsGoWithNoOptionOfAScore) {
  for (const char* option : {"--half score", "--fidelity roofline", "--fidelity both", "--flagged", "--worst 3",
                             "--predictions p.csv", "--max-mape 1", "--format json", "--group-by op"})
    expect_refused(mlosim(std::string("validate t.csv --residuals r.yaml ") + option), {"--residuals"});
  EXPECT_FALSE(has("r.yaml"));
}

TEST_F(Validate, ResidualsAreOfTheFidelityThatTheFileNames) {
  EXPECT_EQ(mlosim("validate t.csv --residuals event.yaml").exit_code, 0);
  EXPECT_THAT(read("event.yaml"), HasSubstr("\nfidelity: event\n"));
  EXPECT_EQ(mlosim("validate t.csv --fidelity analytic --residuals analytic.yaml").exit_code, 0);
  EXPECT_THAT(read("analytic.yaml"), HasSubstr("\nfidelity: analytic\n"));
}

TEST_F(Validate, BothFidelitiesStandSideBySide) {
  const CommandResult result = mlosim("validate t.csv --fidelity both --predictions p.csv");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");  // progress is for terminals
  EXPECT_THAT(result.out, HasSubstr("played beside closed forms"));
  EXPECT_THAT(read("p.csv"), HasSubstr("predicted_us,low_us,high_us,analytic_us\n"));
  EXPECT_EQ(mlosim("validate p.csv --fidelity both --predictions again.csv").exit_code, 0);
  EXPECT_EQ(read("again.csv"), read("p.csv"));
  const nlohmann::json j = json("t.csv --fidelity both");
  const nlohmann::json apart = j.at("overall").at("fidelities");
  EXPECT_EQ(apart.at("event").at("mape"), j.at("overall").at("mape"));
  EXPECT_EQ(apart.at("analytic").at("mape"), json("t.csv --fidelity analytic").at("overall").at("mape"));
}

TEST_F(Validate, ABoundOnEventsNeedsAPlay) {
  EXPECT_EQ(mlosim("validate t.csv --max-events 1000").exit_code, 0);
  expect_refused(mlosim("validate t.csv --fidelity analytic --max-events 1000"), {"--max-events", "--fidelity event"});
  expect_refused(mlosim("validate t.csv --max-events 0"), {"--max-events"});
}

TEST_F(Validate, ResidualsSayWhichSuitesTheyLeaveAside) {
  write("s.yaml", "schema: mlosim/suite/1\nname: s\nrows: []\n");
  EXPECT_THAT(mlosim("validate t.csv s.yaml --residuals r.yaml").err, HasSubstr("warning: s.yaml: left aside"));
}

TEST_F(Validate, ATableNeedsAFile) {
  const CommandResult result = mlosim("validate -", read("t.csv"));
  expect_refused(result, {"<stdin>:1:1", "a table of measurements", ".csv"});
  const std::string suite =
      "schema: mlosim/suite/1\nname: s\nrows:\n  - {id: a, workload: {task: ops, system: h100_sxm, "
      "ops: [{op: gemm, m: 64, n: 64, k: 64, dtype: bf16}]}, measured: {time_s: 1e-5}, source: made up}\n";
  EXPECT_EQ(mlosim("validate -", suite).exit_code, 0);
}

TEST_F(Validate, ATableMayBeCalledInCapitals) {
  write("T.CSV", read("t.csv"));
  EXPECT_EQ(json("./T.CSV").at("rows"), 2);
}

TEST_F(Validate, AMissedBoundIsExitCode1) {
  EXPECT_EQ(mlosim("validate t.csv --max-mape 10").exit_code, 0);
  const CommandResult missed = mlosim("validate t.csv --max-mape 0");
  EXPECT_EQ(missed.exit_code, 1);
  EXPECT_THAT(missed.err, HasSubstr("above 0"));
  EXPECT_THAT(missed.out, HasSubstr("MAPE"));
}

TEST_F(Validate, ABoundIsAFiniteFraction) {
  for (const char* bound : {"nan", "inf", "1e400", "-1", "10%", "x"}) {
    const CommandResult result = mlosim(std::string("validate t.csv --max-mape=") + bound);
    expect_refused(result, {"--max-mape", bound, "such as 0.1"});
    EXPECT_THAT(result.err, testing::Not(HasSubstr("e+308")));
  }
}

TEST_F(Validate, NothingToScoreIsExitCode1WithTheReasons) {
  write("none.csv",
        "device,op,dtype,m,n,k,time_us,software,source\nh100_sxm,conv,bfloat16,1,1,1,5,torch,mlosim/cuda\n");
  const CommandResult result = mlosim("validate none.csv");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("'conv' is not modelled"));
  EXPECT_THAT(result.err, HasSubstr("'skipped'"));
  write("empty.csv", "device,op,dtype,m,n,k,time_us\n");
  const CommandResult empty = mlosim("validate empty.csv");
  EXPECT_EQ(empty.exit_code, 1);
  EXPECT_THAT(empty.err, HasSubstr("there is none"));
}

TEST_F(Validate, CheckReadsTablesSuitesAndProtocols) {
  EXPECT_THAT(mlosim("check t.csv").out, HasSubstr("table of measurements, 2 rows to score and 2 skipped"));
  EXPECT_THAT(mlosim("check aiconfigurator").out, HasSubstr("measurement protocol, no mistake found"));
  write("bad.csv", "device,op,dtype,m,n,k,time_us\nh100_sxm,gemm,bfloat16,1,1,1,0\n");
  expect_refused(mlosim("check bad.csv"), {"bad.csv:2:", "positive"});
  write("bad.yaml", "schema: mlosim/protocol/1\nname: x\ndescription: y\nsource: z\nlaunch: rocket\n");
  expect_refused(mlosim("check bad.yaml"), {"bad.yaml:5:9", "rocket"});
  write("names.yaml", "schema: mlosim/protocol/1\nname: x\ndescription: y\nsource: z\nruntime: vlm\nkernel: tritn\n");
  expect_refused(mlosim("check names.yaml"), {"names.yaml:5:10", "did you mean 'vllm'", "names.yaml:6:9"});
  write("suite.yaml",
        "schema: mlosim/suite/1\nname: s\nrows:\n"
        "  - {id: a, workload: {task: decod, system: h100_sxm}, measured: {time_s: 1}, source: made up}\n");
  expect_refused(mlosim("check suite.yaml"), {"suite.yaml:4:", "decod", "did you mean 'decode'"});
}

TEST_F(Validate, WrongInputIsRefusedWithItsPlace) {
  expect_refused(mlosim("validate nowhere.csv"), {"nowhere.csv"});
  write("bad.csv", "device,op,dtype,m,n,k,time_us,software,source\nh100_sxm,gemm,bfloat16,1,1,1,,torch,mlosim/cuda\n");
  expect_refused(mlosim("validate bad.csv"), {"bad.csv:2:", "time_us", "positive"});
  write("binary.csv", std::string("\x7f"
                                  "ELF\0\0\n\0,",
                                  9));
  expect_refused(mlosim("validate binary.csv"), {"binary.csv:1:1", "not UTF-8"});
  write("latin.csv", read("t.csv") + "h100_sxm,gemm,bfloat16,1,64,64,64,60,,,t\xF6rch,mlosim/cuda\n");
  expect_refused(mlosim("validate latin.csv --format json"), {"latin.csv:6:41", "not UTF-8"});
  expect_refused(mlosim("validate"), {});
  expect_refused(mlosim("validate t.csv --half best"), {"best"});
  expect_refused(mlosim("validate t.csv --worst -1"), {"--worst", "-1"});
}

}  // namespace
}  // namespace mlosim::cli_test
