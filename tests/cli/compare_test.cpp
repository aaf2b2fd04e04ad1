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

TEST_F(Compare, WritesAPageBesideWhatItPrints) {
  const std::string options = "--systems h100_sxm,h200_sxm";
  const CommandResult result = compare(kSmall, options + " --html " + path("c.html"));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, compare(kSmall, options).out);
  const std::string page = read("c.html");
  for (const char* part : {"h200_sxm", "memory bandwidth", "Where the time goes", "</html>"})
    EXPECT_THAT(page, HasSubstr(part));
  for (const char* format : {" --format json", " --format csv"}) {
    EXPECT_EQ(compare(kSmall, options + format + " --html " + path("again.html")).exit_code, 0);
    EXPECT_EQ(read("again.html"), page) << format;
  }
  EXPECT_EQ(mlosim("compare " + options + " --html " + path("numbers.html")).exit_code, 0);
  EXPECT_THAT(read("numbers.html"), HasSubstr("chip.hbm.bandwidth"));
}

TEST_F(Compare, APageThatCannotBeWrittenIsRefusedAndNothingIsLost) {
  write("w.yaml", kSmall);
  const std::string of_file = "compare w.yaml --fidelity analytic --html ";
  expect_refused(mlosim(of_file + "w.yaml"), {"w.yaml", "this file is read"});
  EXPECT_EQ(read("w.yaml"), kSmall);
  expect_refused(mlosim(of_file + "nowhere/c.html"), {"nowhere/c.html", "cannot be written"});
  expect_refused(mlosim(of_file + "-"), {"standard output"});
  write("old.html", "old");
  expect_refused(mlosim(of_file + "old.html --chips 7"), {"7"});
  EXPECT_EQ(read("old.html"), "old");
}

TEST_F(Compare, WhereNoRowCanBeTheFirstMistakeIsTheAnswer) {
  expect_refused(compare(kSmall, "--systems h100_sxn"), {"no system or chip is called 'h100_sxn'"});
  expect_refused(compare(kSmall, "--chips 0"), {"--chips"});
}

}  // namespace
}  // namespace mlosim::cli_test
