// The models that come with mlosim: all are there, say where their shape was read, and count as many parameters as was
// published.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "sim/spec/document.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::graph {
namespace {

using testing::IsEmpty;

struct Published {
  std::string name;
  double parameters;  // in units of 10^9
  std::string source;
};

// Model cards count in safetensors where not said otherwise.
const std::vector<Published>& published() {
  static const std::vector<Published> kTable{
      {"llama-3.1-8b", 8.03, "model card"},
      {"llama-3.1-70b", 70.6, "model card"},
      {"llama-3.1-405b", 405.85, "model card"},
      {"llama-2-7b", 6.74, "model card"},
      {"llama-2-70b", 68.98, "model card"},
      {"llama-4-scout", 107.77, "text part of the model card's 109 B"},
      {"llama-4-maverick", 400.71, "text part of the model card's 402 B"},
      {"mistral-7b", 7.24, "model card"},
      {"mixtral-8x7b", 46.7, "model card"},
      {"mixtral-8x22b", 140.6, "model card"},
      {"qwen2.5-7b", 7.61, "README of the model: 7.61 B"},
      {"qwen3-8b", 8.19, "model card"},
      {"qwen3-32b", 32.76, "model card"},
      {"qwen3-30b-a3b", 30.53, "README of the model: 30.5 B"},
      {"qwen3-235b-a22b", 235.09, "README of the model: 235 B"},
      {"qwen3.5-397b-a17b", 397, "name"},
      {"deepseek-v2", 236, "arXiv:2405.04434"},
      {"deepseek-v3", 671, "arXiv:2412.19437"},
      {"deepseek-r1", 671, "arXiv:2501.12948"},
      {"kimi-k2", 1026, "model card's tensors; 1.04 T in arXiv:2507.20534"},
      {"kimi-k2.5", 1026, "as Kimi K2, text part"},
      {"glm-5", 744, "arXiv:2602.15763"},
      {"minimax-m2.5", 228.7, "model card"},
      {"gemma-2-9b", 9.24, "model card"},
      {"gemma-2-27b", 27.23, "model card"},
      {"gemma-3-27b", 27.01, "text part of the model card's 27.4 B"},
      {"gpt-oss-20b", 20.91, "arXiv:2508.10925, table 1"},
      {"gpt-oss-120b", 116.83, "arXiv:2508.10925, table 1"},
      {"gpt2", 0.1244, "model card: 124 M"},
      {"gpt2-xl", 1.558, "model card: 1.5 B"},
      {"gpt3-175b", 174.6, "arXiv:2005.14165, table D.1"},
      {"gpt-neox-20b", 20.55, "arXiv:2204.06745, section 2"},
      {"phi-3-mini", 3.82, "model card"},
      {"bert-large", 0.336, "model card: 336 M"},
      {"t5-small", 0.0605, "model card: 60.5 M"},
      {"vit-b16", 0.0866, "model card: 86.6 M"},
      {"palm-540b", 540.35, "arXiv:2204.02311, table 1"},
      {"mt-nlg-530b", 530, "arXiv:2201.11990"},
      {"megatron-1t", 1008, "arXiv:2104.04473, table 1"},
  };
  return kTable;
}

spec::Value document_of(const std::string& name) {
  return spec::read_document((support::source_dir() / "models/zoo" / (name + ".yaml")).string());
}

ModelSpec zoo(const std::string& name) {
  const spec::Value document = document_of(name);
  spec::Decoding decoding;
  ModelSpec model = decode_model(spec::Node(&document, "model", &decoding));
  decoding.diagnostics.throw_if_any();
  EXPECT_THAT(decoding.warnings, IsEmpty()) << name;
  return model;
}

TEST(Zoo, HoldsTheContractsModelsAndNoOthers) {
  std::set<std::string> expected, found;
  for (const Published& p : published()) expected.insert(p.name);
  for (const auto& file : support::source_files({"models/zoo"}, {".yaml"})) found.insert(file.stem().string());
  EXPECT_EQ(found, expected);
}

TEST(Zoo, EveryModelBearsItsFilesNameAndSaysWhereItWasRead) {
  for (const Published& p : published()) {
    EXPECT_EQ(zoo(p.name).name, p.name);
    const spec::Value document = document_of(p.name);
    ASSERT_NE(document.find("source"), nullptr) << p.name;
    EXPECT_FALSE(document.find("source")->text.empty()) << p.name;
    EXPECT_NE(document.find("schema"), nullptr) << p.name;
  }
}

TEST(Zoo, CountsAreWithinOnePercentOfThePublished) {
  for (const Published& p : published()) {
    const double counted = count_parameters(zoo(p.name)).total() / 1e9;
    EXPECT_NEAR(counted / p.parameters, 1, 0.01)
        << p.name << ": " << counted << " B, published (" << p.source << ") " << p.parameters;
  }
}

TEST(Zoo, ActiveParametersAreWithinTwoPercentOfThePublished) {
  const std::vector<Published> active{
      {"mixtral-8x7b", 12.9, "arXiv:2401.04088"},       {"mixtral-8x22b", 39, "Mistral AI, 2024"},
      {"gpt-oss-120b", 5.71, "5.13 without embedding"}, {"qwen3-235b-a22b", 22, "name"},
      {"deepseek-v2", 21, "arXiv:2405.04434"},          {"qwen3.5-397b-a17b", 17, "name"}};
  for (const Published& p : active)
    EXPECT_NEAR(count_parameters(zoo(p.name)).active / 1e9 / p.parameters, 1, 0.021) << p.name;
}

TEST(Zoo, DenseModelsActivateAllTheirParameters) {
  for (const Published& p : published()) {
    const ModelSpec model = zoo(p.name);
    const ParameterCount count = count_parameters(model);
    if (model.moe) {
      EXPECT_LT(count.active, count.total()) << p.name;
    } else {
      EXPECT_EQ(count.active, count.total()) << p.name;
    }
  }
}

double matrix_parameters(const Graph& graph) {
  double bytes = 0;
  for (const Block& block : graph.blocks) {
    for (const GraphNode& node : block.nodes) {
      if (!std::holds_alternative<work::Embedding>(node.op))
        bytes += static_cast<double>(block.repeat()) * work::work_of(node.op).weights.si();
    }
  }
  return bytes / 2;
}

// Enough tokens to reach every expert, and more than a sparse attention keeps. What the operators read as parameters is
// then what the model has, but for tables, norms, biases and convolutions.
TEST(Zoo, AGraphsOperatorsReadTheParametersThatTheModelHas) {
  for (const Published& p : published()) {
    const ModelSpec model = zoo(p.name);
    const StepShape prefill{.batch = 2, .new_tokens = 8192, .context = 8192};
    const ParameterCount count = count_parameters(model);
    const double tied_head = model.tied_embeddings && model.architecture != Architecture::encoder
                                 ? static_cast<double>(model.vocab * model.hidden)
                                 : 0;
    const double patches = static_cast<double>(model.patch * model.patch * model.channels * model.hidden);
    const double expected = count.total() - count.embedding - count.norms + tied_head + patches;
    EXPECT_NEAR(matrix_parameters(build_inference_graph(model, prefill, {}, {})) / expected, 1, 3e-3) << p.name;
  }
}

TEST(Zoo, PrefillComputesTwoFlopsForEachActiveParameterAndToken) {
  for (const Published& p : published()) {
    const ModelSpec model = zoo(p.name);
    if (model.architecture != Architecture::decoder || model.linear) continue;
    const std::int64_t tokens = 128;
    const Graph graph =
        build_inference_graph(model, {.new_tokens = tokens, .context = tokens, .all_logits = true}, {}, {});
    double flops = 0;
    for (const Block& block : graph.blocks) {
      for (const GraphNode& node : block.nodes)
        flops += static_cast<double>(block.repeat()) * work::work_of(node.op).matrix.si();
    }
    const ParameterCount count = count_parameters(model);
    const double table = model.tied_embeddings ? 0 : count.embedding;
    // Attention itself is the rest: below a tenth at so short a context.
    EXPECT_NEAR(flops / (2 * static_cast<double>(tokens) * (count.active - table)), 1, 0.1) << p.name;
  }
}

TEST(Zoo, EveryLayerOfEveryModelStandsInOneBlock) {
  for (const Published& p : published()) {
    const ModelSpec model = zoo(p.name);
    std::multiset<std::int64_t> layers;
    for (const Block& block : build_inference_graph(model, {.new_tokens = 16, .context = 16}, {}, {}).blocks) {
      if (block.name.rfind("layers.", 0) != 0) continue;
      EXPECT_EQ(block.name, "layers." + std::to_string(block.layers.front()));
      layers.insert(block.layers.begin(), block.layers.end());
    }
    std::multiset<std::int64_t> expected;
    for (std::int64_t layer = 0; layer < model.layers; ++layer) expected.insert(layer);
    EXPECT_EQ(layers, expected) << p.name;
  }
}

TEST(KvCache, IsWhatTheModelsPapersSay) {
  const auto bytes = [](const std::string& name, std::int64_t context) {
    return kv_cache_bytes(zoo(name), context, work::DType::bf16).si();
  };
  EXPECT_EQ(bytes("llama-3.1-70b", 1), 80 * 2 * 8 * 128 * 2);
  EXPECT_EQ(bytes("deepseek-v3", 1), 61 * (512 + 64) * 2);
  EXPECT_EQ(bytes("gpt2", 10), 10 * 12 * 2 * 768 * 2);
  EXPECT_EQ(bytes("bert-large", 512), 0);
  EXPECT_EQ(bytes("vit-b16", 197), 0);
  EXPECT_EQ(bytes("glm-5", 1), 78 * (512 + 64 + 128) * 2);
}

TEST(KvCache, OfWindowedLayersStopsGrowingAtTheWindow) {
  const ModelSpec model = zoo("gpt-oss-20b");
  const double layer = 2 * 8 * 64 * 2;
  EXPECT_EQ(kv_cache_bytes(model, 100, work::DType::bf16).si(), 24 * 100 * layer);
  EXPECT_EQ(kv_cache_bytes(model, 1000, work::DType::bf16).si(), 12 * 128 * layer + 12 * 1000 * layer);
}

TEST(KvCache, OfLinearLayersDoesNotGrowAtAll) {
  const ModelSpec model = zoo("qwen3.5-397b-a17b");
  const double attention = 15 * 2 * 2 * 256 * 2;
  const double grown =
      (kv_cache_bytes(model, 2000, work::DType::bf16) - kv_cache_bytes(model, 1000, work::DType::bf16)).si();
  EXPECT_EQ(grown, 1000 * attention);
  const double state = 64 * 128 * 128 * 4 + 3 * (2 * 16 * 128 + 64 * 128) * 2;
  EXPECT_EQ(kv_cache_bytes(model, 1000, work::DType::bf16).si(), 1000 * attention + 45 * state);
}

TEST(KvCache, TakesHalfTheBytesInFp8) {
  const ModelSpec model = zoo("llama-3.1-8b");
  EXPECT_EQ(2 * kv_cache_bytes(model, 77, work::DType::fp8).si(), kv_cache_bytes(model, 77, work::DType::bf16).si());
}

}  // namespace
}  // namespace mlosim::graph
