// --trace: a timeline that Perfetto and chrome://tracing read.
#include <algorithm>
#include <string>

#include "tests/cli/workplace.hpp"

namespace mlosim::cli_test {
namespace {

using nlohmann::json;

class Trace : public Workplace {
 protected:
  json trace_of(const std::string& workload) const {
    const CommandResult result = predict(workload, "--trace trace.json");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    json document = json::parse(read("trace.json"), nullptr, false);
    EXPECT_TRUE(document.is_object() && document["traceEvents"].is_array());
    return document;
  }
};

const std::string kNode = with(kSmall, "h100_sxm", "dgx_h100") + "parallelism: {tp: 8}\n";

TEST_F(Trace, NamesTheProcessAndEveryThread) {
  const json events = trace_of(kNode)["traceEvents"];
  int processes = 0, threads = 0;
  for (const json& event : events) {
    if (event["ph"] != "M") continue;
    processes += event["name"] == "process_name" ? 1 : 0;
    threads += event["name"] == "thread_name" ? 1 : 0;
    EXPECT_TRUE(event["args"]["name"].is_string());
  }
  EXPECT_EQ(processes, 1);
  EXPECT_GE(threads, 2);
}

TEST_F(Trace, SlicesHaveTimesNamesAndThreadsThatAreNamed) {
  const json events = trace_of(kNode)["traceEvents"];
  std::size_t slices = 0;
  for (const json& event : events) {
    if (event["ph"] != "X") continue;
    ++slices;
    EXPECT_GE(event["ts"].get<double>(), 0);
    EXPECT_GE(event["dur"].get<double>(), 0);
    EXPECT_FALSE(event["name"].get<std::string>().empty());
    const bool named = std::any_of(events.begin(), events.end(), [&](const json& other) {
      return other["ph"] == "M" && other["name"] == "thread_name" && other["tid"] == event["tid"];
    });
    EXPECT_TRUE(named) << event;
  }
  EXPECT_GT(slices, 32u * 5);  // of each of the 32 layers several
}

TEST_F(Trace, EndsWhenTheRunEnds) {
  const json events = trace_of(with(kSmall, "task: decode", "task: generate"))["traceEvents"];
  double end_us = 0;
  for (const json& event : events) {
    if (event["ph"] == "X") end_us = std::max(end_us, event["ts"].get<double>() + event["dur"].get<double>());
  }
  // Of a long generation some steps alone are played.
  const double time_us = 1e6 * time_of(with(kSmall, "task: decode", "task: generate"));
  EXPECT_GT(end_us, 0);
  EXPECT_LE(end_us, time_us * (1 + 1e-9));
  const json step = trace_of(kSmall)["traceEvents"];
  double step_end_us = 0;
  for (const json& event : step) {
    if (event["ph"] == "X") step_end_us = std::max(step_end_us, event["ts"].get<double>() + event["dur"].get<double>());
  }
  EXPECT_NEAR(step_end_us, 1e6 * time_of(kSmall), 1e-3);
}

TEST_F(Trace, AskingForItDoesNotChangeThePrediction) {
  EXPECT_EQ(predict(kNode, "--trace trace.json").out, predict(kNode).out);
}

TEST_F(Trace, TheSameInputGivesTheSameBytes) {
  predict(kNode, "--trace a.json");
  predict(kNode, "--trace b.json");
  EXPECT_EQ(read("a.json"), read("b.json"));
}

TEST_F(Trace, APathThatCannotBeWrittenIsRefusedAndLeavesNothingBehind) {
  expect_refused(predict(kSmall, "--trace no_such_folder/trace.json"),
                 {"no_such_folder/trace.json", "cannot be written"});
  EXPECT_FALSE(has("no_such_folder"));
  ASSERT_TRUE(std::filesystem::create_directory(path("folder")));
  expect_refused(predict(kSmall, "--trace folder"), {"folder", "cannot be written"});
  EXPECT_FALSE(has("folder.part"));
}

}  // namespace
}  // namespace mlosim::cli_test
