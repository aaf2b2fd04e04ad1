// mlosim validate as its users run it.

#include <gmock/gmock.h>

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

TEST_F(Validate, FlaggedRowsAreTakenOnRequest) { EXPECT_EQ(json("t.csv --flagged").at("rows"), 3); }

TEST_F(Validate, GroupsAreByTheKeysAskedFor) {
  const nlohmann::json group = json("t.csv --group-by software,op").at("groups").at(0);
  EXPECT_EQ(group.at("software"), "torch");
  EXPECT_FALSE(group.contains("device"));
  expect_refused(mlosim("validate t.csv --group-by devise"), {"devise", "device"});
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
}

TEST_F(Validate, AMissedBoundIsExitCode1) {
  EXPECT_EQ(mlosim("validate t.csv --max-mape 10").exit_code, 0);
  const CommandResult missed = mlosim("validate t.csv --max-mape 0");
  EXPECT_EQ(missed.exit_code, 1);
  EXPECT_THAT(missed.err, HasSubstr("above 0"));
  EXPECT_THAT(missed.out, HasSubstr("MAPE"));
}

TEST_F(Validate, NothingToScoreIsExitCode1WithTheReasons) {
  write("none.csv",
        "device,op,dtype,m,n,k,time_us,software,source\nh100_sxm,conv,bfloat16,1,1,1,5,torch,mlosim/cuda\n");
  const CommandResult result = mlosim("validate none.csv");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("'conv' is not modelled"));
}

TEST_F(Validate, CheckReadsTablesSuitesAndProtocols) {
  EXPECT_THAT(mlosim("check t.csv").out, HasSubstr("table of measurements, 2 rows to score and 2 skipped"));
  EXPECT_THAT(mlosim("check aiconfigurator").out, HasSubstr("measurement protocol, no mistake found"));
  write("bad.csv", "device,op,dtype,m,n,k,time_us\nh100_sxm,gemm,bfloat16,1,1,1,0\n");
  expect_refused(mlosim("check bad.csv"), {"bad.csv:2:", "positive"});
  write("bad.yaml", "schema: mlosim/protocol/1\nname: x\ndescription: y\nsource: z\nlaunch: rocket\n");
  expect_refused(mlosim("check bad.yaml"), {"bad.yaml:5:9", "rocket"});
}

TEST_F(Validate, WrongInputIsRefusedWithItsPlace) {
  expect_refused(mlosim("validate nowhere.csv"), {"nowhere.csv"});
  write("bad.csv", "device,op,dtype,m,n,k,time_us,software,source\nh100_sxm,gemm,bfloat16,1,1,1,,torch,mlosim/cuda\n");
  expect_refused(mlosim("validate bad.csv"), {"bad.csv:2:", "time_us", "positive"});
  write("binary.csv", std::string("\x7f"
                                  "ELF\0\0\n\0,",
                                  9));
  expect_refused(mlosim("validate binary.csv"), {"no column"});
  expect_refused(mlosim("validate"), {});
  expect_refused(mlosim("validate t.csv --half best"), {"best"});
  expect_refused(mlosim("validate t.csv --max-mape -1"), {});
}

}  // namespace
}  // namespace mlosim::cli_test
