// mlosim compare as its users run it.
#include <gmock/gmock.h>

#include <string>

#include "tests/cli/workplace.hpp"

namespace mlosim::cli_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Compare : public Workplace {
 protected:
  CommandResult compare(const std::string& workload, const std::string& options) const {
    return mlosim("compare - --fidelity analytic " + options, workload);
  }
};

TEST_F(Compare, EachRowIsWhatPredictSays) {
  const CommandResult result = compare(kSmall, "--systems h100_sxm,b200_sxm --format json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json rows = json::parse(result.out).at("rows");
  ASSERT_EQ(rows.size(), 2u);
  for (const json& row : rows) {
    const json& answer = row.at("result");
    const std::string system = answer.at("system");
    EXPECT_EQ(answer.at("time_s"), predict_json(kSmall, "--fidelity analytic --system " + system).at("time_s"));
  }
  EXPECT_EQ(rows[0].at("gain"), 1.0);
  EXPECT_GT(rows[1].at("gain").get<double>(), 1.2);
}

TEST_F(Compare, SaysWhyOneIsFaster) {
  const CommandResult result = compare(kSmall, "--systems h100_sxm,h200_sxm --format json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json rows = json::parse(result.out).at("rows");
  EXPECT_TRUE(rows[0].at("reasons").empty());
  ASSERT_FALSE(rows[1].at("reasons").empty());
  EXPECT_EQ(rows[1].at("reasons")[0].at("what"), "memory bandwidth");
  EXPECT_THAT(compare(kSmall, "--systems h100_sxm,h200_sxm").out, HasSubstr("memory bandwidth 3350 GB/s -> 4800 GB/s"));
  EXPECT_THAT(compare(kSmall, "--systems h100_sxm,h200_sxm --format csv").out, HasSubstr("memory bandwidth"));
}

TEST_F(Compare, NumbersOfTwoMachinesNeedNoWorkload) {
  const CommandResult result = mlosim("compare --systems h100_sxm,h200_sxm");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("chip.hbm.bandwidth"));
  expect_refused(mlosim("compare --systems h100_sxm"), {"no workload", "--systems"});
  EXPECT_THAT(compare(kSmall, "--systems h100_sxm,h200_sxm --numbers").out, HasSubstr("chip.hbm.bandwidth"));
}

TEST_F(Compare, ABatchGrowsWithTheChipsWhereThatIsAsked) {
  const CommandResult result =
      mlosim("compare gpt3-175b_train_dgx_a100 --fidelity analytic --chips 128,512 --scale-batch --format json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json rows = json::parse(result.out).at("rows");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].at("result").at("chips"), 128);
  EXPECT_NEAR(rows[1].at("gain").get<double>(), 1, 0.05);
}

TEST_F(Compare, ARowThatCannotBeSaysWhyAndLeavesTheOthers) {
  const CommandResult result = compare(kSmall, "--chips 1,7 --systems dgx_h100");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("1.00x"));
  EXPECT_THAT(result.out, HasSubstr("heads"));
}

TEST_F(Compare, WhereNoRowCanBeTheFirstMistakeIsTheAnswer) {
  expect_refused(compare(kSmall, "--systems h100_sxn"), {"no system or chip is called 'h100_sxn'"});
  expect_refused(compare(kSmall, "--chips 0"), {"--chips"});
}

}  // namespace
}  // namespace mlosim::cli_test
