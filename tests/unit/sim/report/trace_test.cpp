#include "sim/report/trace.hpp"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/unit/sim/spec/small_library.hpp"

namespace mlosim::report {
namespace {

using nlohmann::json;

// Two phases of a program with two streams on the toy node.
class TraceTest : public testing::Test {
 protected:
  TraceTest() {
    program.streams = {{"compute", machine::StreamKind::compute},
                       {"communication", machine::StreamKind::communication}};
    program.ops = {{"layers.0.qkv", work::Gemm{.m = 512, .n = 512, .k = 512}},
                   {"layers.0.all_reduce", work::Collective{.bytes = Bytes(1 << 20), .ranks = 8}}};
    program.tasks = {{0, 0, {}}, {1, 1, {0}}, {0, 0, {}}, {1, 1, {2}}};
    program.lead_time = Seconds(20e-6);
  }

  json trace(std::int64_t chips = 8) {
    machine::PriceBook prices(hardware, chip::Fidelity::analytic, {}, true);
    TraceWriter writer;
    for (const char* phase : {"prefill", "decode"}) {
      TaskLog log;
      event::Facts<machine::TaskFact> facts;
      facts.attach(log);
      const machine::PlayResult result = machine::play(program, prices, hardware.system.chip.launch, facts);
      writer.add(phase, program, log.facts, result.makespan, 1);
      makespan_us += static_cast<double>(result.makespan.ps()) * 1e-6;
    }
    return json::parse(writer.render(chips));
  }

  static std::vector<json> of_phase(const json& trace, const std::string& ph) {
    std::vector<json> events;
    for (const json& event : trace.at("traceEvents")) {
      if (event.at("ph") == ph) events.push_back(event);
    }
    return events;
  }

  spec::SmallLibrary small;
  spec::Hardware hardware = small.hardware("toy_8");
  machine::Program program;
  double makespan_us = 0;
};

TEST_F(TraceTest, TheChipIsAProcessAndItsStreamsAreThreads) {
  std::map<std::string, std::vector<std::string>> names;
  for (const json& event : of_phase(trace(), "M")) names[event.at("name")].push_back(event.at("args").at("name"));
  EXPECT_EQ(names.at("process_name"), std::vector<std::string>{"chip 0 (one of 8 alike)"});
  EXPECT_EQ(names.at("thread_name"), (std::vector<std::string>{"step", "compute", "communication"}));
}

TEST_F(TraceTest, AnOnlyChipIsNotOneOfMany) { EXPECT_EQ(of_phase(trace(1), "M")[0].at("args").at("name"), "chip 0"); }

TEST_F(TraceTest, EveryTaskIsASliceWithItsLimiterAndPlan) {
  const std::vector<json> slices = of_phase(trace(), "X");
  ASSERT_EQ(slices.size(), 2U + 2 * program.tasks.size());
  int gemms = 0;
  for (const json& slice : slices) {
    EXPECT_GE(slice.at("dur").get<double>(), 0);
    if (slice.at("name") != "layers.0.qkv") continue;
    ++gemms;
    EXPECT_EQ(slice.at("cat"), "gemm");
    EXPECT_EQ(slice.at("tid"), 1);
    EXPECT_FALSE(slice.at("args").at("bound").get<std::string>().empty());
    EXPECT_FALSE(slice.at("args").at("plan").get<std::string>().empty());
  }
  EXPECT_EQ(gemms, 4);
}

TEST_F(TraceTest, PhasesFollowOneAnother) {
  std::vector<json> phases;
  for (const json& slice : of_phase(trace(), "X")) {
    if (slice.at("tid") == 0) phases.push_back(slice);
  }
  ASSERT_EQ(phases.size(), 2U);
  EXPECT_EQ(phases[0].at("name"), "prefill");
  EXPECT_EQ(phases[0].at("ts"), 0);
  EXPECT_EQ(phases[1].at("name"), "decode");
  EXPECT_DOUBLE_EQ(phases[1].at("ts").get<double>(), phases[0].at("dur").get<double>());
}

TEST_F(TraceTest, SlicesLieWithinTheRunAndDoNotOverlapOnAThread) {
  constexpr double kPicosecond = 1e-6;  // in the trace's microseconds
  const json document = trace();
  std::map<int, double> end_of_thread;
  for (const json& slice : of_phase(document, "X")) {
    const double start = slice.at("ts"), end = start + slice.at("dur").get<double>();
    double& last = end_of_thread[slice.at("tid").get<int>()];
    EXPECT_GE(start, last - kPicosecond) << slice;
    EXPECT_LE(end, makespan_us + kPicosecond) << slice;
    last = end;
  }
  EXPECT_EQ(end_of_thread.size(), 3U);
}

TEST_F(TraceTest, NamesThatAreNoTextDoNotBreakTheDocument) {
  program.ops[0].name = "caf\xe9 \"quoted\"";
  EXPECT_EQ(of_phase(trace(), "X").size(), 2U + 2 * program.tasks.size());
}

}  // namespace
}  // namespace mlosim::report
