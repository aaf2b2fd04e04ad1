// mlosim explain as its users run it.
#include <gmock/gmock.h>

#include <string>

#include "tests/cli/workplace.hpp"

namespace mlosim::cli_test {
namespace {

using testing::HasSubstr;

class Explain : public Workplace {
 protected:
  CommandResult explain(const std::string& workload, const std::string& options = "") const {
    return mlosim("explain - " + options, workload);
  }
};

const std::string kTiled =
    "schema: mlosim/workload/1\ntask: ops\nsystem: h100_sxm\nops:\n"
    "  - {op: gemm, m: 4096, n: 4096, k: 4096, plan: {tile: [128, 256, 64], stages: 3}}\n";

TEST_F(Explain, SaysWhereTheTimeGoesAndWhichPlansLost) {
  const CommandResult result = explain(kSmall);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  for (const char* part : {"fidelity event", "where the time goes", "bottlenecks", "attention_decode", "runners-up",
                           "device memory", "operations a byte", "d ln t / d ln p", "halve the time", "least sure of"})
    EXPECT_THAT(result.out, HasSubstr(part));
}

TEST_F(Explain, JsonIsOneDocumentWithTheTimeThatPredictGives) {
  const CommandResult result = explain(kSmall, "--format json");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const nlohmann::json j = nlohmann::json::parse(result.out);
  EXPECT_EQ(j.at("schema"), "mlosim/explanation/1");
  EXPECT_EQ(j.at("time_s"), predict_json(kSmall).at("time_s"));
  double total = 0;
  for (const auto& op : j.at("operators")) total += op.at("total_s").get<double>();
  EXPECT_LE(total, j.at("time_s").get<double>() * (1 + 1e-9));
}

TEST_F(Explain, TakesTheOptionsOfPredict) {
  const CommandResult result =
      explain(kSmall, "--system h200_sxm --set inference.batch=4 --fidelity analytic --plans 1");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("h200_sxm, 1 x h200_sxm"));
  EXPECT_THAT(result.out, HasSubstr("in closed form"));
}

TEST_F(Explain, TellsWhatTheRanksOfAPipelineDo) {
  const CommandResult result = mlosim("explain gpt3-175b_train_dgx_a100 --format json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const nlohmann::json j = nlohmann::json::parse(result.out);
  ASSERT_GT(j.at("stages").size(), 1u);
  const auto whole = [](const nlohmann::json& stage) {
    return stage.at("busy_s").get<double>() + stage.at("idle_s").get<double>();
  };
  for (const nlohmann::json& stage : j.at("stages")) {
    EXPECT_GT(stage.at("by_pass_s").at("backward").get<double>(), stage.at("by_pass_s").at("forward").get<double>());
    EXPECT_NEAR(whole(stage), whole(j.at("stages")[0]), 1e-6);
    EXPECT_LT(whole(stage), j.at("time_s").get<double>());
  }
}

TEST_F(Explain, WritesAPageAndAPicture) {
  const CommandResult result =
      explain(kSmall, "--fidelity analytic --html " + path("e.html") + " --roofline " + path("r.svg"));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(support::read_text(path("e.html")), HasSubstr("</html>"));
  EXPECT_THAT(support::read_text(path("r.svg")), testing::StartsWith("<svg"));
}

TEST_F(Explain, OneOperatorIsShownAlone) {
  const CommandResult by_index = explain(kTiled, "--op 0"), by_name = explain(kTiled, "--op ops.0.gemm");
  EXPECT_EQ(by_index.exit_code, 0) << by_index.err;
  EXPECT_EQ(by_index.out, by_name.out);
  EXPECT_THAT(by_index.out, HasSubstr("tile m 128, n 256, k 64, 3 stages"));
  EXPECT_THAT(by_index.out, HasSubstr("none: no other plan was open"));
  expect_refused(explain(kTiled, "--op ops.0.gem"), {"ops.0.gem", "did you mean 'ops.0.gemm'?"});
  expect_refused(explain(kTiled, "--op 1"), {"no operator 1", "from 0 to 0"});
}

TEST_F(Explain, AWorkloadThatDoesNotFitIsExplainedAllTheSame) {
  const CommandResult result = explain(kSmall, "--set inference.batch=100000");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("DOES NOT FIT"));
  EXPECT_THAT(result.out, HasSubstr("runners-up"));
  EXPECT_THAT(result.err, HasSubstr("does not fit"));
}

TEST_F(Explain, WrongInputIsRefused) {
  expect_refused(mlosim("explain"), {"workload"});
  expect_refused(explain(kSmall, "--plans -1"), {"--plans"});
  expect_refused(explain(kSmall, "--format csv"), {"--format"});
  expect_refused(explain(with(kTiled, "stages: 3", "stages: 30")), {"<stdin>:5:5: ops.0: 30 stages", "shared memory"});
  expect_refused(explain(with(kTiled, "tile:", "tyle:")), {"<stdin>:5:", "did you mean 'tile'?"});
}

TEST_F(Explain, NeitherAnInputNorAnotherPageIsWrittenOver) {
  write("w.yaml", kSmall);
  expect_refused(mlosim("explain w.yaml --html ./w.yaml"), {"w.yaml", "this file is read, and would be lost"});
  expect_refused(mlosim("explain w.yaml --html a --roofline ./a"), {"--html and --roofline are one file"});
  expect_refused(mlosim("predict w.yaml --html w.yaml"), {"w.yaml", "this file is read, and would be lost"});
  expect_refused(mlosim("predict w.yaml --html a --trace a"), {"--trace and --html are one file"});
  EXPECT_EQ(read("w.yaml"), kSmall);
  EXPECT_FALSE(has("a"));
}

}  // namespace
}  // namespace mlosim::cli_test
