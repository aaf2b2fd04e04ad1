#include "models/plan/shard.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace mlosim::plan {
namespace {

using graph::GraphNode;
using graph::Partition;

Parallelism tensor_parallel(std::int64_t tp) {
  Parallelism p;
  p.tp = tp;
  return p;
}

template <class Op>
Op cut(Op op, Partition partition, const Parallelism& p) {
  return std::get<Op>(shard(GraphNode{.name = "node", .op = std::move(op), .partition = partition}, p));
}

const work::Gemm kGemm{.m = 10, .n = 64, .k = 96, .batch = 6};

TEST(Shard, AGemmIsCutAlongItsPartitionAlone) {
  const Parallelism four = tensor_parallel(4);
  const work::Gemm column = cut(kGemm, Partition::column, four), row = cut(kGemm, Partition::row, four),
                   heads = cut(kGemm, Partition::heads, four);
  EXPECT_EQ(std::make_tuple(column.m, column.n, column.k, column.batch), std::make_tuple(10, 16, 96, 6));
  EXPECT_EQ(std::make_tuple(row.m, row.n, row.k, row.batch), std::make_tuple(10, 64, 24, 6));
  EXPECT_EQ(std::make_tuple(heads.m, heads.n, heads.k, heads.batch), std::make_tuple(10, 64, 96, 2));
  EXPECT_EQ(cut(kGemm, Partition::vocabulary, four).n, 16);
  EXPECT_EQ(cut(kGemm, Partition::replicated, four), kGemm);
}

TEST(Shard, OneRankDoesAllOfIt) {
  for (const Partition partition :
       {Partition::replicated, Partition::column, Partition::row, Partition::heads, Partition::vocabulary}) {
    EXPECT_EQ(cut(kGemm, partition, tensor_parallel(1)), kGemm);
  }
}

TEST(Shard, UnevenCutsAreRoundedUp) {
  EXPECT_EQ(cut(kGemm, Partition::column, tensor_parallel(3)).n, 22);
  EXPECT_EQ(cut(kGemm, Partition::row, tensor_parallel(7)).k, 14);
  EXPECT_EQ(cut(work::Gemm{.m = 1, .n = 50257, .k = 8}, Partition::vocabulary, tensor_parallel(8)).n, 6283);
}

TEST(Shard, KeysAndValuesAreRepeatedWhereThereAreFewerHeadsThanRanks) {
  // 8 query heads and 2 KV heads of 8: 64 + 32 columns.
  const GraphNode qkv{.name = "qkv",
                      .op = work::Gemm{.m = 1, .n = 96, .k = 64},
                      .partition = Partition::column,
                      .kv_columns = 32,
                      .kv_ways = 2};
  EXPECT_EQ(std::get<work::Gemm>(shard(qkv, tensor_parallel(2))).n, 32 + 16);
  EXPECT_EQ(std::get<work::Gemm>(shard(qkv, tensor_parallel(8))).n, 8 + 16);
}

TEST(Shard, AttentionIsCutByHeads) {
  const work::AttentionDecode decode{.batch = 3, .seq_kv = 50, .heads = 8, .kv_heads = 2};
  const work::AttentionDecode half = cut(decode, Partition::heads, tensor_parallel(2)),
                              eighth = cut(decode, Partition::heads, tensor_parallel(8));
  EXPECT_EQ(half.heads, 4);
  EXPECT_EQ(half.kv_heads, 1);
  EXPECT_EQ(eighth.heads, 1);
  EXPECT_EQ(eighth.kv_heads, 1);
  EXPECT_EQ(eighth.batch, 3);
  const work::AttentionPrefill prefill =
      cut(work::AttentionPrefill{.batch = 1, .seq_q = 9, .seq_kv = 9, .heads = 8, .kv_heads = 8}, Partition::heads,
          tensor_parallel(4));
  EXPECT_EQ(prefill.heads, 2);
  EXPECT_EQ(prefill.kv_heads, 2);
  EXPECT_EQ(cut(work::MlaPrefill{.heads = 128}, Partition::heads, tensor_parallel(8)).heads, 16);
  EXPECT_EQ(cut(work::MlaDecode{.heads = 128}, Partition::heads, tensor_parallel(8)).heads, 16);
}

TEST(Shard, AttentionThatIsNotCutByHeadsIsWholeOnEveryRank) {
  EXPECT_EQ(cut(work::MlaDecode{.heads = 64}, Partition::replicated, tensor_parallel(8)).heads, 64);
}

TEST(Shard, ExpertsTakeTheTokensOfTheWholeGroup) {
  Parallelism p = tensor_parallel(2);
  p.attention_dp = 4;
  p.ep = 4;
  p.moe_tp = 2;
  const work::MoeGemm moe =
      cut(work::MoeGemm{.tokens = 16, .hidden = 64, .inter = 32, .experts = 8, .topk = 2}, Partition::experts, p);
  EXPECT_EQ(moe.tokens, 64);
  EXPECT_EQ(moe.ep, 4);
  EXPECT_EQ(moe.tp, 2);
  EXPECT_EQ(moe.experts, 8) << "of all groups";
}

TEST(Shard, ElementwiseBytesShrinkWithTheSideThatIsCut) {
  const work::Elementwise pass{.rows = 10, .cols = 96, .bytes_in = Bytes(1920), .bytes_out = Bytes(960)};
  const work::Elementwise column = cut(pass, Partition::column, tensor_parallel(4));
  EXPECT_EQ(column.rows, 10);
  EXPECT_EQ(column.cols, 24);
  EXPECT_EQ(column.bytes_in, Bytes(480));
  EXPECT_EQ(column.bytes_out, Bytes(240));
  const work::Elementwise heads = cut(pass, Partition::heads, tensor_parallel(4));
  EXPECT_EQ(heads.rows, 3);
  EXPECT_EQ(heads.cols, 96);
  EXPECT_DOUBLE_EQ(heads.bytes_in.si(), 1920 * 0.3);
  EXPECT_EQ(cut(pass, Partition::replicated, tensor_parallel(4)), pass);
}

TEST(Shard, AnEmbeddingKeepsItsTokensAndCutsItsTable) {
  const work::Embedding embedding =
      cut(work::Embedding{.tokens = 12, .hidden = 64, .vocab = 1000}, Partition::vocabulary, tensor_parallel(3));
  EXPECT_EQ(embedding.tokens, 12);
  EXPECT_EQ(embedding.hidden, 64);
  EXPECT_EQ(embedding.vocab, 334);
}

TEST(Shard, TheRanksTogetherDoAtLeastTheWholeWork) {
  for (const std::int64_t tp : {2, 3, 4, 5, 7, 8}) {
    for (const Partition partition : {Partition::column, Partition::row, Partition::heads, Partition::vocabulary}) {
      const Flops rank = work::work_of(cut(kGemm, partition, tensor_parallel(tp))).matrix;
      EXPECT_GE(static_cast<double>(tp) * rank, work::work_of(kGemm).matrix);
    }
  }
}

}  // namespace
}  // namespace mlosim::plan
