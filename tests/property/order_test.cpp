// What has no order has none: members of YAML mappings, operators that do not depend on one another, threads. And what
// was predicted once is predicted again, to the byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "models/predict/render.hpp"
#include "tests/property/workloads.hpp"

namespace mlosim::property {
namespace {

void reverse_members(spec::Value& value) {
  for (spec::Value& item : value.items) reverse_members(item);
  for (spec::Member& member : value.members) reverse_members(member.value);
  std::reverse(value.members.begin(), value.members.end());
}

// Members in the order of their keys' bytes, turned by one so that it is neither the file's nor the sorted one.
void shuffle_members(spec::Value& value) {
  for (spec::Value& item : value.items) shuffle_members(item);
  for (spec::Member& member : value.members) shuffle_members(member.value);
  std::sort(value.members.begin(), value.members.end(),
            [](const spec::Member& a, const spec::Member& b) { return a.key < b.key; });
  if (value.members.size() > 2) std::rotate(value.members.begin(), value.members.begin() + 1, value.members.end());
}

std::string prediction_of(const std::string& workload) {
  return predict::render_json(predict::predict(built_in(), workload, {}), {.version = "", .seconds = 0});
}

TEST(Order, OfKeysInHardwareChangesNothing) {
  for (const std::string& name : workload_names()) {
    const Scenario scenario = scenario_of(name);
    const double expected = scenario.evaluate().total.makespan.si();
    for (const auto reorder : {reverse_members, shuffle_members}) {
      spec::HardwareDocuments documents = scenario.documents;
      for (spec::Value* document : {&documents.system, &documents.chip, &documents.collectives, &documents.runtime})
        reorder(*document);
      EXPECT_EQ(scenario.evaluate(scenario.decode_changed(documents)).total.makespan.si(), expected) << name;
    }
  }
}

TEST(Order, OfKeysInAWorkloadChangesNothing) {
  const support::TemporaryDirectory folder;
  for (const std::string& name : workload_names()) {
    const std::string expected = prediction_of(name);
    const std::string path = (folder.path() / "w.yaml").string();
    for (const auto reorder : {reverse_members, shuffle_members}) {
      spec::Value document = spec::read_document(built_in().require(spec::Shelf::workloads, name));
      reorder(document);
      support::write_text(path, spec::render_yaml(document));
      EXPECT_EQ(prediction_of(path), expected) << name;
    }
  }
}

TEST(Order, OfIndependentOperatorsChangesNoneOfThem) {
  const std::array<std::string, 5> ops{
      "{op: gemm, m: 512, n: 8192, k: 8192}", "{op: gemm, m: 64, n: 1024, k: 8192, dtype: fp8}",
      "{op: softmax, rows: 4096, cols: 4096}",
      "{op: attention_decode, batch: 32, seq_kv: 4096, heads: 32, kv_heads: 8, head_dim: 128}",
      "{op: collective, kind: all_reduce, bytes: 4 MB, ranks: 8}"};
  std::vector<std::size_t> order{0, 1, 2, 3, 4};
  std::map<std::size_t, double> expected;
  double expected_time = 0, expected_energy = 0, expected_mfu = 0;
  const support::TemporaryDirectory folder;
  const std::string path = (folder.path() / "w.yaml").string();
  do {
    std::string text = "schema: mlosim/workload/1\nname: ops\ntask: ops\nsystem: dgx_h100\nops:\n";
    for (const std::size_t i : order) text += "  - " + ops[i] + "\n";
    support::write_text(path, text);
    const predict::Prediction p = predict::predict(built_in(), path, {});
    const bool first = expected.empty();
    for (std::size_t k = 0; k < order.size(); ++k) {
      const double time = p.evaluation.total.ops[k].each.si();
      if (first) expected[order[k]] = time;
      EXPECT_EQ(time, expected[order[k]]) << ops[order[k]] << " at position " << k;
    }
    if (first) {
      expected_time = p.evaluation.total.makespan.si();
      expected_energy = p.energy.si();
      expected_mfu = p.mfu;
    }
    EXPECT_EQ(p.evaluation.total.makespan.si(), expected_time);
    EXPECT_NEAR(p.energy.si(), expected_energy, 1e-12 * expected_energy);
    EXPECT_NEAR(p.mfu, expected_mfu, 1e-12) << text;
    for (int skipped = 0; skipped < 6; ++skipped) std::next_permutation(order.begin(), order.end());
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Order, TheSameWorkloadGivesTheSameBytesAgain) {
  for (const std::string& name : workload_names()) EXPECT_EQ(prediction_of(name), prediction_of(name)) << name;
}

TEST(Order, TwoThreadsPredictWhatOneDoes) {
  const std::vector<std::string> names = workload_names();
  std::vector<std::string> expected(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) expected[i] = prediction_of(names[i]);
  std::array<std::vector<std::string>, 2> found;
  {
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < found.size(); ++t) {
      threads.emplace_back([&, t] {
        // One from the front, one from the back.
        found[t].resize(names.size());
        for (std::size_t k = 0; k < names.size(); ++k) {
          const std::size_t i = t == 0 ? k : names.size() - 1 - k;
          found[t][i] = prediction_of(names[i]);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  for (const std::vector<std::string>& result : found) EXPECT_EQ(result, expected);
}

}  // namespace
}  // namespace mlosim::property
