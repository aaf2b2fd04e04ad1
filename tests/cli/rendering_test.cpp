// CSV and text of a prediction, and that equal input gives equal bytes in every format.
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/workplace.hpp"

namespace mlosim::cli_test {
namespace {

class Rendering : public Workplace {};

// Fields of RFC 4180 lines.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows{{""}};
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        rows.back().back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        rows.back().back() += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      rows.back().emplace_back();
    } else if (c == '\n') {
      rows.emplace_back(1, "");
    } else {
      rows.back().back() += c;
    }
  }
  rows.pop_back();
  return rows;
}

TEST_F(Rendering, CsvHasAHeaderARowForTheWorkloadAndOneForEachOperator) {
  const auto json = predict_json(kSmall);
  const CommandResult result = predict(kSmall, "--format csv");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  ASSERT_FALSE(result.out.empty());
  EXPECT_EQ(result.out.back(), '\n');
  const auto rows = parse_csv(result.out);
  ASSERT_EQ(rows.size(), json["ops"].size() + 2);
  for (const auto& row : rows) EXPECT_EQ(row.size(), rows[0].size());
  const std::vector<std::string> first{"workload", "system", "chips", "fidelity", "name", "op", "count", "time_s"};
  EXPECT_EQ(std::vector<std::string>(rows[0].begin(), rows[0].begin() + 8), first);
  EXPECT_EQ(rows[1][0], "small");
  EXPECT_EQ(rows[1][4], "total");
  EXPECT_EQ(std::stod(rows[1][7]), json["time_s"].get<double>());
  for (std::size_t i = 0; i < json["ops"].size(); ++i) {
    EXPECT_EQ(rows[i + 2][4], json["ops"][i]["name"]);
    EXPECT_EQ(std::stod(rows[i + 2][7]), json["ops"][i]["time_s"].get<double>());
  }
}

TEST_F(Rendering, CsvQuotesWhatWouldBreakARow) {
  const auto rows = parse_csv(predict(with(kSmall, "name: small", "name: 'a, \"b\"'"), "--format csv").out);
  ASSERT_GE(rows.size(), 3u);
  for (const auto& row : rows) EXPECT_EQ(row.size(), rows[0].size());
  EXPECT_EQ(rows[1][0], "a, \"b\"");
}

TEST_F(Rendering, TextIsTheDefaultAndSaysTimeThroughputMemoryAndBottlenecks) {
  const CommandResult result = predict(kSmall);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out, predict(kSmall, "--format text").out);
  for (const char* word : {"small\n", "h100_sxm", "time ", "interval", "tokens/s", "MFU", "memory", "bottlenecks",
                           "hbm_bandwidth", "layers.0.mlp.down"}) {
    EXPECT_NE(result.out.find(word), std::string::npos) << word << " is not in\n" << result.out;
  }
}

TEST_F(Rendering, TextSaysWhatToChangeWhereTheWorkloadDoesNotFit) {
  const CommandResult result = predict(with(kSmall, "llama-3.1-8b", "llama-3.1-405b"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.out.find("DOES NOT FIT"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("weights alone"), std::string::npos) << result.out;
  EXPECT_NE(result.err.find("more chips"), std::string::npos) << result.err;
}

TEST_F(Rendering, JsonAloneIsOnStandardOutputAndWarningsAreOnStandardError) {
  const std::string warned = kSmall + "runtime: no_such_stack\n";
  const CommandResult result = predict(warned, "--format json");
  EXPECT_EQ(result.exit_code, 0);
  const auto json = nlohmann::json::parse(result.out, nullptr, false);
  ASSERT_TRUE(json.is_object()) << result.out;
  EXPECT_NE(result.err.find("warning: no runtime is called 'no_such_stack'"), std::string::npos) << result.err;
}

TEST_F(Rendering, JsonOfNamesThatNeedEscapesIsStillJson) {
  const auto json = predict_json(with(kSmall, "name: small", "name: \"a\\\"b\\\\c\\td é\""));
  EXPECT_EQ(json["workload"], "a\"b\\c\td é");
}

// The time that mlosim itself took differs from run to run.
std::string without_seconds(const std::string& text) {
  auto json = nlohmann::json::parse(text);
  json["mlosim"].erase("seconds");
  return json.dump();
}

TEST_F(Rendering, TheSameInputGivesTheSameBytes) {
  const std::string node = with(with(kSmall, "task: decode", "task: generate"), "system: h100_sxm",
                                "system: dgx_h100\nparallelism: {tp: 4}");
  for (const std::string& workload : {kSmall, node}) {
    for (const char* format : {"text", "csv"}) {
      const std::string option = std::string("--format ") + format;
      EXPECT_EQ(predict(workload, option).out, predict(workload, option).out);
    }
    EXPECT_EQ(without_seconds(predict(workload, "--format json").out),
              without_seconds(predict(workload, "--format json").out));
  }
}

}  // namespace
}  // namespace mlosim::cli_test
