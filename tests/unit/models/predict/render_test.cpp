#include "models/predict/render.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::predict {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class RenderTest : public testing::Test, protected Desk {
 protected:
  Prediction eight() { return predict(decode_text("parallelism: {tp: 8}", "toy_8")); }
};

TEST_F(RenderTest, TheJsonDocumentHasTheContractsFields) {
  const Prediction p = eight();
  const json j = json::parse(render_json(p, {.version = "1.2.3", .seconds = 0.5}));
  for (const char* key : {"schema",
                          "workload",
                          "system",
                          "chips",
                          "fidelity",
                          "time_s",
                          "time_interval_s",
                          "interval_level",
                          "tokens_per_s",
                          "tokens_per_s_per_chip",
                          "achieved_flops_per_chip",
                          "mfu",
                          "hfu",
                          "latency",
                          "memory",
                          "time_breakdown_s",
                          "communication_total_s",
                          "energy_j",
                          "power_w_per_chip",
                          "cost_usd",
                          "usd_per_million_tokens",
                          "bottlenecks",
                          "ops",
                          "assumptions",
                          "mlosim"}) {
    EXPECT_TRUE(j.contains(key)) << key;
  }
  EXPECT_EQ(j.at("schema"), "mlosim/result/1");
  EXPECT_EQ(j.at("chips"), 8);
  EXPECT_EQ(j.at("fidelity"), "event");
  EXPECT_EQ(j.at("play").at("max_events"), chip::kMaxEvents);
  EXPECT_TRUE(j.at("play").at("note").is_null());
  EXPECT_EQ(j.at("time_s"), p.evaluation.total.makespan.si());
  EXPECT_EQ(j.at("interval_level"), 0.8);
  EXPECT_TRUE(j.at("latency").at("ttft_s").is_null());
  EXPECT_EQ(j.at("latency").at("tpot_s"), j.at("time_s"));
  EXPECT_EQ(j.at("mlosim").at("version"), "1.2.3");
}

TEST_F(RenderTest, ThePartsInJsonAddUpToTheirWhole) {
  const json j = json::parse(render_json(eight(), {.version = "", .seconds = 0}));
  double time = 0, bytes = 0;
  for (const auto& part : j.at("time_breakdown_s")) time += part.get<double>();
  for (const auto& part : j.at("memory").at("breakdown_bytes")) bytes += part.get<double>();
  EXPECT_NEAR(time / j.at("time_s").get<double>(), 1, 1e-9);
  EXPECT_NEAR(bytes / j.at("memory").at("per_chip_bytes").get<double>(), 1, 1e-12);
}

TEST_F(RenderTest, OperatorsHaveTheTimeOfOneAndTheirCount) {
  const json j = json::parse(render_json(eight(), {.version = "", .seconds = 0}));
  bool found = false;
  for (const json& op : j.at("ops")) {
    EXPECT_NEAR(op.at("total_s").get<double>(), op.at("time_s").get<double>() * op.at("count").get<double>(), 1e-15);
    if (op.at("name") != "layers.0.attention.qkv") continue;
    found = true;
    EXPECT_EQ(op.at("op"), "gemm");
    EXPECT_EQ(op.at("count"), 4);
  }
  EXPECT_TRUE(found);
}

TEST_F(RenderTest, AWorkloadsNameIsItsOwnInJsonWhateverItsBytes) {
  Prediction p = eight();
  p.workload = "caf\xe9 \"x\"";
  EXPECT_THAT(json::parse(render_json(p, {.version = "", .seconds = 0})).at("workload").get<std::string>(),
              HasSubstr("\"x\""));
}

TEST_F(RenderTest, EveryRowOfTheCsvHasAllColumns) {
  Prediction p = eight();
  p.workload = "plain name";
  std::istringstream text(render_csv(p));
  std::vector<std::size_t> commas;
  for (std::string line; std::getline(text, line);)
    commas.push_back(static_cast<std::size_t>(std::count(line.begin(), line.end(), ',')));
  ASSERT_EQ(commas.size(), 2 + p.evaluation.total.ops.size());
  for (const std::size_t n : commas) EXPECT_EQ(n, commas[0]);
}

TEST_F(RenderTest, FieldsOfTheCsvAreQuotedWhereTheyMust) {
  Prediction p = eight();
  p.workload = "a, \"b\"";
  EXPECT_THAT(render_csv(p), HasSubstr("\n\"a, \"\"b\"\"\",toy_8,8,event,total,"));
}

TEST_F(RenderTest, TheTextSaysWhatMatters) {
  const std::string text = render_text(eight());
  for (const char* part : {"toy_8, 8 x toy, runtime acme, fidelity event", "80 % interval", "tokens/s", "MFU",
                           "where the time goes", "bottlenecks", "layers.0.attention.qkv", "leans on numbers"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr("DOES NOT FIT")));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

TEST_F(RenderTest, APlayThatWasCutShortSaysSoInTextAndJson) {
  PredictOptions options;
  options.max_events = 1;
  const Prediction p = predict(workload_text("ops", "toy", "ops: [{op: gemm, m: 8192, n: 8192, k: 8192}]"), options);
  const char* note = "1 of 1 played kernels are played coarsely";
  EXPECT_THAT(render_text(p), HasSubstr(note));
  const json j = json::parse(render_json(p, {.version = "", .seconds = 0}));
  EXPECT_THAT(j.at("play").at("note").get<std::string>(), HasSubstr(note));
  EXPECT_THAT(j.at("play").at("note").get<std::string>(), HasSubstr("within 1 events each; --max-events allows more"));
  options.max_events = 1'000'000;
  EXPECT_EQ(
      render_coarseness(predict(workload_text("ops", "toy", "ops: [{op: gemm, m: 8192, n: 8192, k: 8192}]"), options)),
      "");
}

TEST_F(RenderTest, NothingIsPlayedInClosedForm) {
  const Prediction p = predict_with(decode_text(), {}, chip::Fidelity::analytic);
  EXPECT_TRUE(json::parse(render_json(p, {.version = "", .seconds = 0})).at("play").is_null());
}

TEST_F(RenderTest, TheTextOfAWorkloadThatDoesNotFitSaysWhatToChange) {
  const Prediction p = predict(
      workload_text("decode", "toy",
                    std::string("model: ") + kDenseModel + ", inference: {batch: 4096, prompt: 32000, output: 100}"));
  EXPECT_THAT(render_text(p), HasSubstr("DOES NOT FIT: "));
}

plan::MemoryPlan plan_of(double weights, double per_sequence, std::int64_t sequences, double capacity) {
  plan::MemoryPlan m;
  m.weights = Bytes(weights);
  m.per_sequence = Bytes(per_sequence);
  m.sequences = sequences;
  m.kv_cache = per_sequence * static_cast<double>(sequences) * Bytes(1);
  m.capacity = Bytes(capacity);
  return m;
}

TEST(RenderShortfall, FewerSequencesAreCounted) {
  EXPECT_THAT(render_shortfall(plan_of(50e9, 1e9, 64, 80e9)),
              HasSubstr("34.0 GB too much on each chip; about 30 sequences a chip fit instead of 64"));
}

TEST(RenderShortfall, WeightsThatAloneDoNotFitAreNamed) {
  EXPECT_THAT(render_shortfall(plan_of(90e9, 1e9, 1, 80e9)), HasSubstr("the weights alone do not fit"));
}

TEST(RenderShortfall, ASequenceThatIsTooLongIsNamed) {
  EXPECT_THAT(render_shortfall(plan_of(50e9, 40e9, 1, 80e9)), HasSubstr("not even one sequence fits"));
}

}  // namespace
}  // namespace mlosim::predict
