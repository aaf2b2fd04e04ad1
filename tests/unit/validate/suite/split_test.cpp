// Which half and which fold a shape falls into, and that it stays there.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "validate/suite/measurement.hpp"

namespace mlosim::suite {
namespace {

// 16 shapes of every operator.
std::vector<std::vector<work::Operator>> shapes_of_operators() {
  std::vector<std::vector<work::Operator>> all(10);
  for (std::int64_t i = 1; i <= 16; ++i) {
    all[0].emplace_back(work::Gemm{.m = i, .n = 4096, .k = 8192, .batch = 1});
    all[1].emplace_back(work::AttentionPrefill{
        .batch = i, .seq_q = 1024, .seq_kv = 1024, .heads = 32, .kv_heads = 8, .head_dim = 128, .causal = true});
    all[2].emplace_back(work::AttentionDecode{.batch = i, .seq_kv = 1024, .heads = 32, .kv_heads = 8, .head_dim = 128});
    all[3].emplace_back(work::MlaPrefill{.batch = i, .seq_q = 1024, .seq_kv = 1024, .heads = 128});
    all[4].emplace_back(work::MlaDecode{.batch = i, .seq_kv = 1024, .heads = 128});
    all[5].emplace_back(
        work::MoeGemm{.tokens = i, .hidden = 4096, .inter = 14336, .experts = 8, .topk = 2, .tp = 1, .ep = 1});
    all[6].emplace_back(work::Elementwise{.kind = work::ElementwiseKind::delta_rule, .rows = i, .cols = 4096});
    all[7].emplace_back(work::Embedding{.tokens = i, .hidden = 4096, .vocab = 32000});
    all[8].emplace_back(work::Sampling{.rows = i, .vocab = 32000});
    all[9].emplace_back(
        work::Collective{.kind = work::CollectiveKind::p2p, .bytes = Bytes(static_cast<double>(i)), .ranks = 8});
  }
  return all;
}

// 16 shapes of every kind, the first kind of each list first.
std::vector<std::vector<work::Operator>> shapes_of_kinds() {
  std::vector<std::vector<work::Operator>> all;
  for (int kind = 0; kind <= static_cast<int>(work::ElementwiseKind::delta_rule); ++kind) {
    all.emplace_back();
    for (std::int64_t i = 1; i <= 16; ++i)
      all.back().emplace_back(
          work::Elementwise{.kind = static_cast<work::ElementwiseKind>(kind), .rows = i, .cols = 4096});
  }
  for (int kind = 0; kind <= static_cast<int>(work::CollectiveKind::p2p); ++kind) {
    all.emplace_back();
    for (std::int64_t i = 1; i <= 16; ++i)
      all.back().emplace_back(work::Collective{
          .kind = static_cast<work::CollectiveKind>(kind), .bytes = Bytes(static_cast<double>(1024 * i)), .ranks = 8});
  }
  return all;
}

// One letter a shape: 1 where it is in.
template <class IsIn>
std::vector<std::string> marks(const std::vector<std::vector<work::Operator>>& lists, IsIn is_in) {
  std::vector<std::string> texts;
  for (const auto& list : lists) {
    texts.emplace_back();
    for (const work::Operator& op : list) texts.back() += is_in(op) ? '1' : '0';
  }
  return texts;
}

// What is fitted may never be scored on rows that it was fitted on: these may be added to, and never change.
TEST(Split, EveryShapeStaysInItsHalf) {
  EXPECT_EQ(marks(shapes_of_operators(), is_in_fit_half),
            (std::vector<std::string>{"1011111100111101", "0101111101011011", "1010000010000111", "0011100011000111",
                                      "0111111001111001", "1011010101001111", "0010100011111110", "1011101001101111",
                                      "0010010010111000", "1110100111111000"}));
  EXPECT_EQ(marks(shapes_of_kinds(), is_in_fit_half),
            (std::vector<std::string>{
                "1000111010100000", "0000100110100010", "1111011101111100", "0000000000010101", "0010000000000010",
                "1101111011111111", "0001110000000000", "1101011111111001", "1110111010011111", "1010001000101000",
                "0001111111000001", "0001011111111101", "0001101111101100", "0010101010000000", "1111111111111110",
                "0100000011000101", "0100001100010100", "1111111001101110", "0000000000000001", "1111110111111111",
                "1111110111111111", "1010000000000010", "0010100011111110", "0100001011110000", "1001001100111111",
                "1001111011110001", "1010100101101010", "0011111100000011", "1100101100011110"}));
}

TEST(Split, EveryShapeStaysInItsFold) {
  EXPECT_EQ(marks(shapes_of_operators(), is_in_first_fold),
            (std::vector<std::string>{"1110001000010111", "0101001001010011", "1100111110111001", "1000100110000011",
                                      "0100010001100000", "0100011110101000", "0100000110001101", "1010110110001100",
                                      "0001010101111100", "1010111111100110"}));
}

TEST(Split, AShapeIsOnTheSameSideInEveryFormat) {
  int fitted = 0;
  for (std::int64_t m = 1; m <= 1000; ++m) {
    const work::Gemm bf16{.m = m, .n = 4096, .k = 4096};
    work::Gemm fp8 = bf16;
    fp8.activations = fp8.weights = work::DType::fp8;
    fp8.quantise_activations = true;
    EXPECT_EQ(shape_of(bf16), shape_of(fp8));
    EXPECT_EQ(is_in_fit_half(bf16), is_in_fit_half(fp8));
    EXPECT_EQ(is_in_first_fold(bf16), is_in_first_fold(fp8));
    fitted += is_in_fit_half(bf16);
  }
  EXPECT_NEAR(fitted, 500, 60);
}

TEST(Split, HalfOfTheShapesOfEveryOperatorAreFitted) {
  int decode = 0, collective = 0, norm = 0;
  for (std::int64_t i = 1; i <= 1000; ++i) {
    decode += is_in_fit_half(work::AttentionDecode{.batch = i, .seq_kv = 1024, .heads = 32, .kv_heads = 8});
    collective += is_in_fit_half(work::Collective{.bytes = Bytes(1024.0 * static_cast<double>(i)), .ranks = 8});
    norm += is_in_fit_half(work::Elementwise{.kind = work::ElementwiseKind::rmsnorm, .rows = i, .cols = 4096});
  }
  for (const int half : {decode, collective, norm}) EXPECT_NEAR(half, 500, 60);
}

// 2000 shapes fall into four quarters of 500 each: standard deviation 19.
TEST(Split, FoldsCutBothHalvesInTwo) {
  int quarters[2][2] = {};
  for (std::int64_t m = 1; m <= 2000; ++m) {
    const work::Gemm op{.m = m, .n = 5120, .k = 4096};
    ++quarters[is_in_fit_half(op)][is_in_first_fold(op)];
  }
  for (const auto& half : quarters) {
    for (const int quarter : half) EXPECT_NEAR(quarter, 500, 80);
  }
}

TEST(Split, OperatorsOfTheSameSizesAreDifferentShapes) {
  EXPECT_NE(shape_of(work::MlaDecode{.batch = 1, .seq_kv = 2, .heads = 3}),
            shape_of(work::Embedding{.tokens = 1, .hidden = 2, .vocab = 3}));
  EXPECT_NE(shape_of(work::Elementwise{.kind = work::ElementwiseKind::add, .rows = 1, .cols = 2}),
            shape_of(work::Elementwise{.kind = work::ElementwiseKind::mul, .rows = 1, .cols = 2}));
}

}  // namespace
}  // namespace mlosim::suite
