#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "models/graph/model.hpp"
#include "sim/spec/document.hpp"

namespace mlosim::graph {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Decoded {
  ModelSpec model;
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};

Decoded decode(const std::string& yaml) {
  const spec::Value document = spec::parse_document(yaml, "model.yaml");
  spec::Decoding decoding;
  Decoded decoded;
  decoded.model = decode_model(spec::Node(&document, "model", &decoding));
  for (const spec::Diagnostic& diagnostic : decoding.diagnostics.list())
    decoded.errors.push_back(render_diagnostic(diagnostic));
  decoded.warnings = decoding.warnings;
  return decoded;
}

const std::string kTiny = "name: tiny\nlayers: 4\nhidden: 64\nheads: 4\nffn: 128\nvocab: 1000\n";

TEST(DecodeModel, ReadsTheContractsExample) {
  const Decoded d = decode(R"(
schema: mlosim/model/1
name: mixtral-8x7b
layers: 32
hidden: 4096
heads: 32
kv_heads: 8
head_dim: 128
ffn: 14336
gated: true
vocab: 32000
tied_embeddings: false
moe: {experts: 8, experts_per_token: 2, expert_ffn: 14336, shared_experts: 0, dense_layers: 0}
attention: {window: 4096, every: 2}
)");
  EXPECT_THAT(d.errors, IsEmpty());
  EXPECT_EQ(d.model.name, "mixtral-8x7b");
  EXPECT_EQ(d.model.kv_heads, 8);
  ASSERT_TRUE(d.model.moe);
  EXPECT_EQ(d.model.moe->experts_per_token, 2);
  EXPECT_EQ(d.model.layer_attention(0).window, 4096);
  EXPECT_EQ(d.model.layer_attention(1).window, 0);
  EXPECT_EQ(d.model.layer_attention(30).window, 4096);
}

TEST(DecodeModel, LeavesOutWhatFollowsFromTheRest) {
  const ModelSpec m = decode(kTiny).model;
  EXPECT_EQ(m.kv_heads, 4);
  EXPECT_EQ(m.head_dim, 16);
  EXPECT_EQ(m.v_head_dim, 16);
  EXPECT_EQ(m.activation, Activation::silu);
  EXPECT_EQ(decode(kTiny + "gated: false\n").model.activation, Activation::gelu);
  EXPECT_FALSE(m.tied_embeddings);
  EXPECT_EQ(m.layer_attention(3), AttentionKind{});
}

TEST(DecodeModel, ReportsAllMistakesOfOneFileInOneRun) {
  const Decoded d = decode(
      "layers: 2\nhidden: 100\nheads: 6\nkv_heads: 4\nfnn: 128\nvocab: -1\nmoe: {experts: 4, experts_per_token: 5}\n");
  EXPECT_THAT(d.errors,
              Contains(HasSubstr("model.yaml:4:11: model.kv_heads: 6 heads cannot be shared evenly by 4 KV heads")));
  EXPECT_THAT(d.errors, Contains(HasSubstr("give 'head_dim'")));
  EXPECT_THAT(d.errors, Contains(HasSubstr("did you mean 'ffn'?")));
  EXPECT_THAT(d.errors, Contains(HasSubstr("'-1' is less than 1")));
  EXPECT_THAT(d.errors, Contains(HasSubstr("a token cannot choose 5 of 4 experts")));
}

TEST(DecodeModel, OfEachGroupOfLayersTheLastSeesAllTokens) {
  const ModelSpec m = decode(kTiny + "attention: {window: 8, every: 3}\n").model;
  EXPECT_EQ(m.layer_attention(0).window, 8);
  EXPECT_EQ(m.layer_attention(1).window, 8);
  EXPECT_EQ(m.layer_attention(2).window, 0);
  EXPECT_EQ(m.layer_attention(3).window, 8);
}

TEST(DecodeModel, AWindowWithoutEveryIsThatOfAllLayers) {
  const ModelSpec m = decode(kTiny + "attention: {window: 8}\n").model;
  for (std::int64_t layer = 0; layer < 4; ++layer) EXPECT_EQ(m.layer_attention(layer).window, 8);
}

TEST(DecodeModel, FullLayersMayBeNamedOneByOne) {
  const Decoded d = decode(kTiny + "attention: {window: 8, full_layers: [0, 3], window_kv_heads: 2}\n");
  EXPECT_THAT(d.errors, IsEmpty());
  EXPECT_EQ(d.model.layer_attention(0), AttentionKind{});
  EXPECT_EQ(d.model.layer_attention(1).window, 8);
  EXPECT_EQ(d.model.kv_heads_of(d.model.layer_attention(1)), 2);
  EXPECT_EQ(d.model.kv_heads_of(d.model.layer_attention(3)), 4);
  EXPECT_THAT(decode(kTiny + "attention: {window: 8, full_layers: [4]}\n").errors,
              Contains(HasSubstr("there is no layer 4")));
}

TEST(DecodeModel, ReadsTheSpellingsOfPublishedTables) {
  const ModelSpec alternating = decode(kTiny + "attention: alternating sliding window 128 / full\n").model;
  EXPECT_EQ(alternating.layer_attention(0).window, 128);
  EXPECT_EQ(alternating.layer_attention(1).window, 0);
  const ModelSpec mixed = decode(kTiny + "attention: '2 local(1024) : 1 global'\n").model;
  EXPECT_EQ(mixed.layer_attention(1).window, 1024);
  EXPECT_EQ(mixed.layer_attention(2).window, 0);
  EXPECT_THAT(decode(kTiny + "attention: alternating sliding window 128 / full, mostly\n").errors, SizeIs(1));
}

TEST(DecodeModel, LatentAttentionSetsTheHeadsWidths) {
  const Decoded d = decode(kTiny + "attention: {mla: {q_rank: 0, kv_rank: 32, nope_dim: 12, rope_dim: 4, v_dim: 8}}\n");
  EXPECT_THAT(d.errors, IsEmpty());
  EXPECT_EQ(d.model.head_dim, 16);
  EXPECT_EQ(d.model.v_head_dim, 8);
  EXPECT_EQ(decode(kTiny + "attention: mla\n").model.mla->kv_rank, 512);
}

TEST(DecodeModel, WarnsOfAHeadDimThatLatentAttentionDoesNotUse) {
  const Decoded d = decode(kTiny + "head_dim: 56\nattention: mla\n");
  EXPECT_THAT(d.errors, IsEmpty());
  EXPECT_THAT(d.warnings, Contains(HasSubstr("head_dim 56 is not used")));
  EXPECT_EQ(d.model.head_dim, 192);
}

TEST(DecodeModel, AnIndexerNeedsCompressedQueries) {
  EXPECT_THAT(decode(kTiny + "attention: {mla: {q_rank: 0, indexer: {heads: 4}}}\n").errors,
              Contains(HasSubstr("q_rank is 0")));
}

TEST(DecodeModel, LinearAttentionAlternatesWithAttention) {
  const Decoded d = decode(kTiny + "attention: {linear: {key_heads: 2, value_heads: 4, every: 4}}\n");
  EXPECT_THAT(d.errors, IsEmpty());
  EXPECT_TRUE(d.model.layer_attention(2).linear);
  EXPECT_FALSE(d.model.layer_attention(3).linear);
  EXPECT_THAT(decode(kTiny + "attention: {linear: {key_heads: 3, value_heads: 4}}\n").errors, SizeIs(1));
}

TEST(DecodeModel, NamesTheFormsOfAttentionToOneThatKnowsNone) {
  EXPECT_THAT(decode(kTiny + "attention: flash\n").errors,
              Contains(HasSubstr("unknown attention 'flash'; write full")));
  EXPECT_THAT(decode(kTiny + "attention: {every: 2}\n").errors,
              Contains(HasSubstr("no kind of attention is named here")));
  EXPECT_THAT(decode(kTiny + "attention: {window: 8, every: 5}\n").errors,
              Contains(HasSubstr("there are only 4 layers")));
}

TEST(DecodeModel, ExpertsFollowTheDenseLayersAndTheirOwnPeriod) {
  const ModelSpec m = decode(
                          "layers: 7\nhidden: 64\nheads: 4\nffn: 128\nvocab: 10\nmoe: {experts: 4, experts_per_token: "
                          "1, dense_layers: 1, every: 2}\n")
                          .model;
  std::string kinds;
  for (std::int64_t layer = 0; layer < 7; ++layer) kinds += m.layer_is_moe(layer) ? 'e' : 'd';
  EXPECT_EQ(kinds, "ddedede");
  EXPECT_EQ(m.moe->expert_ffn, 128);
}

TEST(DecodeModel, AModelOfExpertsAloneNeedsNoFfn) {
  const Decoded d =
      decode("layers: 2\nhidden: 64\nheads: 4\nvocab: 10\nmoe: {experts: 4, experts_per_token: 1, expert_ffn: 32}\n");
  EXPECT_THAT(d.errors, IsEmpty());
  EXPECT_THAT(decode("layers: 2\nhidden: 64\nheads: 4\nvocab: 10\nmoe: {experts: 4, experts_per_token: 1, expert_ffn: "
                     "32, dense_layers: 1}\n")
                  .errors,
              Contains(HasSubstr("some layers are dense")));
  EXPECT_THAT(decode("layers: 2\nhidden: 64\nheads: 4\nvocab: 10\n").errors,
              Contains(HasSubstr("key 'ffn' is missing")));
}

TEST(DecodeModel, NoLayerLeftForExpertsIsAMistake) {
  EXPECT_THAT(decode(kTiny + "moe: {experts: 4, experts_per_token: 1, dense_layers: 4}\n").errors,
              Contains(HasSubstr("no layer of 4 is left")));
}

TEST(DecodeModel, AnEncoderDecoderNeedsBothDepthsAndOthersOne) {
  EXPECT_THAT(decode(kTiny + "architecture: encoder_decoder\n").errors,
              Contains(HasSubstr("'encoder_layers' is missing")));
  EXPECT_THAT(decode(kTiny + "encoder_layers: 2\n").errors, Contains(HasSubstr("unknown key 'encoder_layers'")));
  EXPECT_THAT(decode(kTiny + "architecture: encoder\nattention: mla\n").errors,
              Contains(HasSubstr("in decoders alone")));
}

TEST(DecodeModel, AnImageIsMadeOfWholePatches) {
  const std::string vit =
      "architecture: encoder\nlayers: 2\nhidden: 64\nheads: 4\nffn: 128\nclasses: 10\npositions: 197\n";
  const Decoded d = decode(vit + "image: 224\npatch: 16\n");
  EXPECT_THAT(d.errors, IsEmpty());
  EXPECT_EQ(d.model.image_tokens(), 197);
  EXPECT_THAT(decode(vit + "image: 224\npatch: 15\n").errors, Contains(HasSubstr("not made of patches of 15")));
  EXPECT_THAT(decode(vit + "image: 224\n").errors, Contains(HasSubstr("'patch' is missing")));
}

TEST(DecodeModel, NormsOfALayerAreTwoOrFourOrOneInAParallelBlock) {
  EXPECT_THAT(decode(kTiny + "norms_per_layer: 4\n").errors, IsEmpty());
  EXPECT_THAT(decode(kTiny + "norms_per_layer: 1\nparallel_block: true\n").errors, IsEmpty());
  EXPECT_THAT(decode(kTiny + "norms_per_layer: 1\n").errors, SizeIs(1));
  EXPECT_THAT(decode(kTiny + "norms_per_layer: 3\n").errors, SizeIs(1));
}

TEST(DecodeModel, FormatsAreSpelledAsEverywhere) {
  EXPECT_EQ(decode(kTiny + "weights_dtype: fp8\n").model.weights_dtype, work::DType::fp8);
  EXPECT_THAT(decode(kTiny + "weights_dtype: fp9\n").errors,
              Contains(HasSubstr("unknown format 'fp9'; did you mean 'fp")));
  EXPECT_THAT(decode(kTiny + "quantised: experts\n").errors, Contains(HasSubstr("no experts to quantise")));
}

TEST(DecodeModel, SizesThatNoNetworkHasAreRefusedBeforeTheyOverflow) {
  EXPECT_THAT(
      decode("layers: 9000000000000000\nhidden: 9000000000000000\nheads: 1\nhead_dim: 64\nffn: 1\nvocab: 1\n").errors,
      SizeIs(2));
}

}  // namespace
}  // namespace mlosim::graph
