// The table of model widths that mlosim-measure carries is the zoo's own.
#include "validate/cuda/operation/zoo_layers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "models/graph/model.hpp"
#include "sim/spec/document.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::measure {
namespace {

using testing::Contains;
using testing::IsSupersetOf;

graph::ModelSpec described(const std::string& name) {
  const spec::Value document = spec::read_document((support::source_dir() / "models/zoo" / (name + ".yaml")).string());
  spec::Decoding decoding;
  graph::ModelSpec model = graph::decode_model(spec::Node(&document, "model", &decoding));
  decoding.diagnostics.throw_if_any();
  return model;
}

const ZooModel& model(const std::string& name) {
  const auto& models = zoo_models();
  return *std::find_if(models.begin(), models.end(), [&](const ZooModel& m) { return m.name == name; });
}

TEST(ZooLayers, HoldEveryModelOfTheZooAndNoOther) {
  std::set<std::string> files, names;
  for (const auto& file : support::source_files({"models/zoo"}, {".yaml"})) files.insert(file.stem().string());
  for (const ZooModel& one : zoo_models()) names.insert(one.name);
  EXPECT_EQ(names, files);
  EXPECT_EQ(names.size(), zoo_models().size());
}

TEST(ZooLayers, HaveTheWidthsOfTheZoosFiles) {
  for (const ZooModel& one : zoo_models()) {
    SCOPED_TRACE(one.name);
    const graph::ModelSpec spec = described(one.name);
    EXPECT_EQ(one.hidden, spec.hidden);
    EXPECT_EQ(one.heads, spec.heads);
    EXPECT_EQ(one.ffn, spec.ffn);
    EXPECT_EQ(one.gated, spec.gated);
    EXPECT_EQ(one.vocab, spec.vocab);
    EXPECT_EQ(one.output_gate, spec.output_gate);
    EXPECT_EQ(one.expert_ffn, spec.moe ? spec.moe->expert_ffn : 0);
    EXPECT_EQ(one.shared_experts, spec.moe ? spec.moe->shared_experts : 0);
    EXPECT_EQ(one.latent.kv_rank > 0, spec.mla.has_value());
    if (!spec.mla) {
      EXPECT_EQ(one.kv_heads, spec.kv_heads);
      EXPECT_EQ(one.head_dim, spec.head_dim);
    } else {
      EXPECT_EQ(one.latent.q_rank, spec.mla->q_rank);
      EXPECT_EQ(one.latent.kv_rank, spec.mla->kv_rank);
      EXPECT_EQ(one.latent.nope_dim, spec.mla->nope_dim);
      EXPECT_EQ(one.latent.rope_dim, spec.mla->rope_dim);
      EXPECT_EQ(one.latent.v_dim, spec.mla->v_dim);
    }
  }
}

TEST(ZooLayers, OfLlama8bAreQkvOutGateUpDownAndHead) {
  EXPECT_THAT(weights_of(model("llama-3.1-8b"), 1),
              testing::UnorderedElementsAre(Weight{6144, 4096}, Weight{4096, 4096}, Weight{28672, 4096},
                                            Weight{4096, 14336}, Weight{128256, 4096}));
  EXPECT_THAT(weights_of(model("llama-3.1-8b"), 8),
              testing::UnorderedElementsAre(Weight{768, 4096}, Weight{4096, 512}, Weight{3584, 4096},
                                            Weight{4096, 1792}, Weight{16032, 4096}));
}

TEST(ZooLayers, KeepAKeyHeadOnEveryChipWhereThereAreFewerHeadsThanChips) {
  // 48 query heads and one K/V head of 256: at tp 8 six and a copy of that one.
  EXPECT_THAT(weights_of(model("palm-540b"), 8), Contains(Weight{(6 + 2) * 256, 18432}));
}

TEST(ZooLayers, OfLatentAttentionAreItsCompressionsAndExpansions) {
  EXPECT_THAT(weights_of(model("deepseek-v3"), 4),
              IsSupersetOf({Weight{1536 + 512 + 64, 7168}, Weight{128 * 192 / 4, 1536}, Weight{128 * 256 / 4, 512},
                            Weight{7168, 128 * 128 / 4}}));
}

TEST(ZooLayers, ThatASplitWouldCutUnevenlyAreLeftOut) {
  // 25 heads and a vocabulary of 50257 do not split in 8; the feed-forward layers do.
  EXPECT_THAT(weights_of(model("gpt2-xl"), 8), testing::UnorderedElementsAre(Weight{800, 1600}, Weight{1600, 800}));
}

TEST(ZooLayers, AreListedOnceEach) {
  const std::vector<Weight> weights = zoo_weights();
  EXPECT_TRUE(std::is_sorted(weights.begin(), weights.end()));
  EXPECT_EQ(std::adjacent_find(weights.begin(), weights.end()), weights.end());
  EXPECT_GT(weights.size(), 300u);
}

}  // namespace
}  // namespace mlosim::measure
