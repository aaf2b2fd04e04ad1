// The JSON document of a prediction: every field of the contract is there, has its type, and the parts add up.
#include <string>
#include <utility>
#include <vector>

#include "tests/cli/workplace.hpp"

namespace mlosim::cli_test {
namespace {

using nlohmann::json;

const std::string kPrefill = with(kSmall, "task: decode", "task: prefill");
const std::string kGenerate = with(kSmall, "task: decode", "task: generate");
const std::string kNode =
    with(with(kSmall, "h100_sxm", "dgx_h100"), "precision: bf16\n", "precision: bf16\nparallelism: {tp: 8}\n");
const std::string kOps =
    "schema: mlosim/workload/1\n"
    "name: operators\n"
    "task: ops\n"
    "system: dgx_h100\n"
    "chips: 8\n"
    "ops:\n"
    "  - {op: rmsnorm, rows: 4096, cols: 8192}\n"
    "  - {op: gemm, m: 512, n: 4096, k: 8192, dtype: fp8}\n"
    "  - {op: collective, kind: all_reduce, bytes: 1048576, ranks: 8}\n"
    "  - {op: gemm, m: 4096, n: 4096, k: 4096}\n"
    "  - {op: attention_decode, batch: 16, seq_kv: 2048, heads: 32, kv_heads: 8, head_dim: 128}\n"
    "  - {op: rmsnorm, rows: 4096, cols: 8192}\n";

class ResultJson : public Workplace {};

void expect_numbers(const json& parent, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    ASSERT_TRUE(parent.contains(name)) << name << " is missing";
    EXPECT_TRUE(parent[name].is_number()) << name << " is " << parent[name];
    if (parent[name].is_number()) {
      EXPECT_GE(parent[name].get<double>(), 0) << name;
    }
  }
}

void expect_number_or_null(const json& parent, const std::string& name) {
  ASSERT_TRUE(parent.contains(name)) << name << " is missing";
  EXPECT_TRUE(parent[name].is_number() || parent[name].is_null()) << name << " is " << parent[name];
}

void expect_texts(const json& parent, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    ASSERT_TRUE(parent.contains(name)) << name << " is missing";
    EXPECT_TRUE(parent[name].is_string()) << name << " is " << parent[name];
  }
}

void expect_contract(const json& result) {
  expect_texts(result, {"schema", "workload", "system", "fidelity"});
  EXPECT_EQ(result["schema"], "mlosim/result/1");
  expect_numbers(result, {"chips", "time_s", "interval_level", "achieved_flops_per_chip", "mfu", "hfu",
                          "communication_total_s", "energy_j", "power_w_per_chip"});
  EXPECT_TRUE(result["chips"].is_number_integer());
  for (const char* name : {"tokens_per_s", "tokens_per_s_per_chip", "cost_usd", "usd_per_million_tokens"})
    expect_number_or_null(result, name);
  ASSERT_TRUE(result.contains("latency"));
  for (const char* name : {"ttft_s", "tpot_s", "end_to_end_s"}) expect_number_or_null(result["latency"], name);
  ASSERT_TRUE(result.contains("time_breakdown_s"));
  expect_numbers(result["time_breakdown_s"],
                 {"compute", "memory", "communication_exposed", "bubble", "overhead", "optimizer"});
  ASSERT_TRUE(result.contains("memory"));
  if (!result["memory"].is_null()) {
    EXPECT_TRUE(result["memory"]["fits"].is_boolean());
    expect_numbers(result["memory"], {"per_chip_bytes", "capacity_bytes"});
    expect_numbers(result["memory"]["breakdown_bytes"],
                   {"weights", "kv_cache", "activations", "gradients", "optimizer", "workspace"});
  }
  for (const char* list : {"bottlenecks", "ops", "assumptions"})
    ASSERT_TRUE(result.contains(list) && result[list].is_array()) << list;
  EXPECT_FALSE(result["bottlenecks"].empty());
  EXPECT_FALSE(result["ops"].empty());
  for (const json& bottleneck : result["bottlenecks"]) {
    expect_texts(bottleneck, {"resource"});
    expect_numbers(bottleneck, {"share"});
    EXPECT_TRUE(bottleneck["elasticity"].is_number());
  }
  for (const json& op : result["ops"]) {
    expect_texts(op, {"name", "op", "bound"});
    expect_numbers(op, {"count", "time_s"});
  }
  for (const json& assumption : result["assumptions"])
    expect_texts(assumption, {"parameter", "value", "kind", "source"});
  ASSERT_TRUE(result.contains("mlosim"));
  expect_texts(result["mlosim"], {"version"});
  expect_numbers(result["mlosim"], {"seconds", "events"});
}

double sum(const json& object) {
  double total = 0;
  for (const json& part : object) total += part.get<double>();
  return total;
}

void expect_parts_add_up(const json& result) {
  const double time = result["time_s"].get<double>();
  EXPECT_GT(time, 0);
  EXPECT_NEAR(sum(result["time_breakdown_s"]), time, 1e-9 * time);
  EXPECT_LE(result["time_interval_s"].at(0).get<double>(), time);
  EXPECT_GE(result["time_interval_s"].at(1).get<double>(), time);
  EXPECT_EQ(result["time_interval_s"].size(), 2u);
  if (const json& memory = result["memory"]; !memory.is_null()) {
    const double bytes = memory["per_chip_bytes"].get<double>();
    EXPECT_NEAR(sum(memory["breakdown_bytes"]), bytes, 1e-9 * bytes);
    EXPECT_EQ(memory["fits"].get<bool>(), bytes <= memory["capacity_bytes"].get<double>());
  }
  double shares = 0;
  for (const json& bottleneck : result["bottlenecks"]) shares += bottleneck["share"].get<double>();
  EXPECT_LE(shares, 1 + 1e-9);
  EXPECT_NEAR(result["power_w_per_chip"].get<double>() * result["chips"].get<double>() * time,
              result["energy_j"].get<double>(), 1e-6 * result["energy_j"].get<double>());
}

TEST_F(ResultJson, HasEveryFieldOfTheContractAndItsPartsAddUpForEveryTask) {
  for (const std::string& workload : {kSmall, kPrefill, kGenerate, kNode, kOps}) {
    SCOPED_TRACE(workload);
    const json result = predict_json(workload);
    expect_contract(result);
    expect_parts_add_up(result);
  }
}

TEST_F(ResultJson, TheRooflineIsABoundBelowTheAnalyticTimeForEveryTask) {
  for (const std::string& workload : {kSmall, kPrefill, kGenerate, kNode, kOps}) {
    SCOPED_TRACE(workload);
    const json bound = predict_json(workload, "--fidelity roofline");
    expect_contract(bound);
    expect_parts_add_up(bound);
    EXPECT_EQ(bound["fidelity"], "roofline");
    EXPECT_LT(bound["time_s"].get<double>(), predict_json(workload)["time_s"].get<double>());
  }
}

TEST_F(ResultJson, BareOperatorsComeOneEntryEachInTheirOrder) {
  const json ops = predict_json(kOps)["ops"];
  const std::vector<std::string> expected{"rmsnorm", "gemm", "all_reduce", "gemm", "attention_decode", "rmsnorm"};
  ASSERT_EQ(ops.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(ops[i]["op"], expected[i]);
    EXPECT_EQ(ops[i]["count"], 1);
    EXPECT_EQ(ops[i]["name"].get<std::string>().rfind("ops." + std::to_string(i), 0), 0u) << ops[i]["name"];
  }
}

TEST_F(ResultJson, OperatorsOfASequentialRunAddUpToItsTimeWithoutTheHosts) {
  const json result = predict_json(kOps);
  double total = 0;
  for (const json& op : result["ops"]) total += op["time_s"].get<double>() * op["count"].get<double>();
  EXPECT_NEAR(total, result["time_s"].get<double>(), 1e-6 * total);
}

TEST_F(ResultJson, MfuOfOperatorsIsTheShareOfThePeaksOfTheirFormats) {
  const auto ops = [](const std::string& list) {
    return "schema: mlosim/workload/1\nname: ops\ntask: ops\nsystem: h100_sxm\nops: [" + list + "]\n";
  };
  const std::string wide = "{op: gemm, m: 8192, n: 8192, k: 8192, dtype: bf16}",
                    narrow = "{op: gemm, m: 8192, n: 8192, k: 8192, dtype: fp8}";
  const auto field = [&](const std::string& list, const char* name) {
    return predict_json(ops(list))[name].get<double>();
  };
  EXPECT_NEAR(field(wide + ", " + narrow, "mfu"), field(narrow + ", " + wide, "mfu"), 1e-12);
  const double time = field(wide + ", " + narrow, "time_s");
  EXPECT_NEAR(field(wide + ", " + narrow, "mfu") * time,
              field(wide, "mfu") * field(wide, "time_s") + field(narrow, "mfu") * field(narrow, "time_s"), 1e-9 * time);
  EXPECT_NEAR(field(wide, "achieved_flops_per_chip") * field(wide, "time_s"), 2 * 8192.0 * 8192 * 8192, 1e6);
}

TEST_F(ResultJson, LatenciesAreThoseOfTheTask) {
  const json decode = predict_json(kSmall), prefill = predict_json(kPrefill), generate = predict_json(kGenerate);
  EXPECT_TRUE(decode["latency"]["ttft_s"].is_null());
  EXPECT_EQ(decode["latency"]["tpot_s"], decode["time_s"]);
  EXPECT_EQ(prefill["latency"]["ttft_s"], prefill["time_s"]);
  EXPECT_TRUE(prefill["latency"]["tpot_s"].is_null());
  EXPECT_EQ(generate["latency"]["end_to_end_s"], generate["time_s"]);
  EXPECT_NEAR(generate["latency"]["ttft_s"].get<double>() + 128 * generate["latency"]["tpot_s"].get<double>(),
              generate["time_s"].get<double>(), 1e-9 * generate["time_s"].get<double>());
}

TEST_F(ResultJson, ThroughputIsTokensOverTime) {
  for (const auto& [workload, tokens] : {std::pair{kSmall, 8.0}, std::pair{kPrefill, 8.0 * 1024},
                                         std::pair{kGenerate, 8.0 * 128}, std::pair{kNode, 8.0}}) {
    const json result = predict_json(workload);
    const double rate = tokens / result["time_s"].get<double>();
    EXPECT_NEAR(result["tokens_per_s"].get<double>(), rate, 1e-9 * rate);
    EXPECT_NEAR(result["tokens_per_s_per_chip"].get<double>() * result["chips"].get<double>(), rate, 1e-9 * rate);
  }
}

TEST_F(ResultJson, CommunicationIsThereOnlyBetweenChips) {
  EXPECT_EQ(predict_json(kSmall)["communication_total_s"], 0);
  const json node = predict_json(kNode);
  EXPECT_EQ(node["chips"], 8);
  EXPECT_GT(node["communication_total_s"].get<double>(), 0);
  EXPECT_GE(node["communication_total_s"].get<double>(),
            node["time_breakdown_s"]["communication_exposed"].get<double>() - 1e-12);
}

TEST_F(ResultJson, TheExitCodeIsOneAndThePredictionPrintedWhereTheWorkloadDoesNotFit) {
  const CommandResult result = predict(with(kSmall, "batch: 8", "batch: 8000"), "--format json");
  EXPECT_EQ(result.exit_code, 1);
  const json document = json::parse(result.out, nullptr, false);
  ASSERT_TRUE(document.is_object()) << result.out;
  expect_contract(document);
  EXPECT_FALSE(document["memory"]["fits"].get<bool>());
  EXPECT_NE(result.err.find("does not fit"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("sequences"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace mlosim::cli_test
