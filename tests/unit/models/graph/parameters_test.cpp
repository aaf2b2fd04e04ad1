// Parameter counts against sums by hand; the published counts of real models are in zoo_test.cpp.
#include <gtest/gtest.h>

#include "models/graph/model.hpp"
#include "tests/unit/models/graph/tiny_models.hpp"

namespace mlosim::graph {
namespace {

TEST(CountParameters, AddsUpADenseDecoderByHand) {
  const ParameterCount c = count_parameters(tiny());
  EXPECT_EQ(c.embedding, 1000 * 64);
  EXPECT_EQ(c.head, 1000 * 64);
  EXPECT_EQ(c.attention, 4 * (64 * 128 + 64 * 64));
  EXPECT_EQ(c.ffn, 4 * 3 * 64 * 96);
  EXPECT_EQ(c.norms, (2 * 4 + 1) * 64);
  EXPECT_EQ(c.experts, 0);
  EXPECT_EQ(c.total(), c.embedding + c.head + c.attention + c.ffn + c.norms);
}

TEST(CountParameters, BiasesBelongToTheMatricesThatHaveThem) {
  ModelSpec m = tiny();
  const double without = count_parameters(m).total();
  m.biases = Biases::qkv;
  EXPECT_EQ(count_parameters(m).total() - without, 4 * 128);
  m.biases = Biases::all;
  EXPECT_EQ(count_parameters(m).total() - without, 4 * (128 + 64 + 2 * 96 + 64));
  m.rms_norm = false;
  EXPECT_EQ(count_parameters(m).norms, 2 * (2 * 4 + 1) * 64);
}

TEST(CountParameters, ATokenActivatesOnlyTheExpertsItChooses) {
  ModelSpec m = tiny();
  m.moe = MoeShape{.experts = 8,
                   .experts_per_token = 2,
                   .expert_ffn = 32,
                   .shared_experts = 1,
                   .shared_expert_ffn = 32,
                   .dense_layers = 1};
  const ParameterCount c = count_parameters(m);
  EXPECT_EQ(c.experts, 3 * 8 * 3 * 64 * 32);
  EXPECT_EQ(c.ffn, 3 * 64 * 96 + 3 * (64 * 8 + 3 * 64 * 32));
  EXPECT_EQ(c.active, c.total() - 3 * 6 * 3 * 64 * 32);
}

TEST(CountParameters, LatentAttentionByHand) {
  const ParameterCount c = count_parameters(tiny_latent());
  EXPECT_EQ(c.attention, 4 * (64 * 24 + 24 + 24 * 64 + 64 * 36 + 32 + 32 * 4 * 20 + 32 * 64));
}

}  // namespace
}  // namespace mlosim::graph
