#include "models/plan/shard.hpp"

#include <algorithm>

#include "sim/units/check.hpp"

namespace mlosim::plan {
namespace {

std::int64_t cut(std::int64_t n, std::int64_t ways) { return (n + ways - 1) / ways; }

// Keys and values are repeated where there are fewer KV heads than ranks.
template <class Attention>
Attention cut_heads(Attention op, const graph::GraphNode& node, std::int64_t tp) {
  if (node.partition != graph::Partition::heads) return op;
  op.heads = cut(op.heads, tp);
  if constexpr (requires { op.kv_heads; }) op.kv_heads = cut(op.kv_heads, tp);
  return op;
}

work::Elementwise cut_elementwise(work::Elementwise op, std::int64_t& side, std::int64_t ways) {
  const double share = static_cast<double>(cut(side, ways)) / static_cast<double>(side);
  side = cut(side, ways);
  op.bytes_in *= share;
  op.bytes_out *= share;
  return op;
}

struct Sharder {
  const graph::GraphNode& node;
  const Parallelism& p;

  work::Operator operator()(work::Gemm op) const {
    switch (node.partition) {
      case graph::Partition::column:
        op.n = graph::columns_of_rank(node, p.tp);
        return op;
      case graph::Partition::vocabulary:
        op.n = cut(op.n, p.tp);
        return op;
      case graph::Partition::row:
        op.k = cut(op.k, p.tp);
        return op;
      case graph::Partition::heads:
        op.batch = cut(op.batch, p.tp);
        return op;
      case graph::Partition::replicated:
      case graph::Partition::experts:
        return op;
    }
    MLOSIM_CHECK(false);
  }
  work::Operator operator()(const work::AttentionPrefill& op) const { return cut_heads(op, node, p.tp); }
  work::Operator operator()(const work::AttentionDecode& op) const { return cut_heads(op, node, p.tp); }
  work::Operator operator()(const work::MlaPrefill& op) const { return cut_heads(op, node, p.tp); }
  work::Operator operator()(const work::MlaDecode& op) const { return cut_heads(op, node, p.tp); }
  work::Operator operator()(work::MoeGemm op) const {
    op.tokens *= p.attention_dp;
    op.ep = p.ep;
    op.tp = p.moe_tp;
    return op;
  }
  work::Operator operator()(work::Elementwise op) const {
    if (node.partition == graph::Partition::column || node.partition == graph::Partition::vocabulary) {
      std::int64_t cols = op.cols;
      op = cut_elementwise(op, cols, p.tp);
      op.cols = cols;
    } else if (node.partition == graph::Partition::heads) {
      cut_rows(op, p.tp);
    }
    return op;
  }
  work::Operator operator()(work::Embedding op) const {
    if (node.partition == graph::Partition::vocabulary) op.vocab = cut(op.vocab, p.tp);
    return op;
  }
  work::Operator operator()(const work::Sampling& op) const { return op; }
  work::Operator operator()(const work::Collective& op) const { return op; }
};

}  // namespace

void cut_rows(work::Elementwise& pass, std::int64_t ways) {
  std::int64_t rows = pass.rows;
  pass = cut_elementwise(pass, rows, ways);
  pass.rows = rows;
}

work::Operator shard(const graph::GraphNode& node, const Parallelism& parallelism) {
  return std::visit(Sharder{node, parallelism}, node.op);
}

}  // namespace mlosim::plan
