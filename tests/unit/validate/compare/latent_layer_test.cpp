#include "validate/compare/latent_layer.hpp"

#include <gtest/gtest.h>

#include <variant>

namespace mlosim::compare {
namespace {

TEST(LatentLayer, ADecodeStepAbsorbsAndExpandsHeadByHead) {
  const work::MlaPrefill heads;
  const auto around = operators_around_latent_attention(work::MlaDecode{.batch = 16, .seq_kv = 4096, .heads = 64});
  ASSERT_EQ(around.size(), 2u);
  const auto& absorb = std::get<work::Gemm>(around[0]);
  const auto& expand = std::get<work::Gemm>(around[1]);
  EXPECT_EQ(absorb.m, 16);
  EXPECT_EQ(absorb.batch, 64);
  EXPECT_EQ(absorb.k, heads.nope_dim);
  EXPECT_EQ(absorb.n, heads.kv_rank);
  EXPECT_EQ(expand.k, heads.kv_rank);
  EXPECT_EQ(expand.n, heads.value_dim);
}

TEST(LatentLayer, APromptExpandsTheCacheOfItsHeadsAndCopiesIt) {
  const auto around = operators_around_latent_attention(
      work::MlaPrefill{.batch = 2, .seq_q = 8, .seq_kv = 32, .heads = 4, .nope_dim = 96, .value_dim = 80});
  ASSERT_EQ(around.size(), 2u);
  const auto& expand = std::get<work::Gemm>(around[0]);
  EXPECT_EQ(expand.m, 2 * 32);
  EXPECT_EQ(expand.n, 4 * (96 + 80));
  EXPECT_TRUE(std::holds_alternative<work::Elementwise>(around[1]));
}

TEST(LatentLayer, OtherOperatorsHaveNone) {
  EXPECT_TRUE(operators_around_latent_attention(work::Gemm{.m = 1, .n = 1, .k = 1}).empty());
}

}  // namespace
}  // namespace mlosim::compare
