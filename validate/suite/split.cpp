// Which half of the shapes a row belongs to. Neither operators nor their kinds may change their numbers in shape_of:
// what was fitted on one half would be scored on it.

#include <cstdint>
#include <variant>

#include "validate/suite/measurement.hpp"

namespace mlosim::suite {
namespace {

// FNV-1a over the bytes of integers: the same on every machine, unlike std::hash.
class ShapeHash {
 public:
  explicit ShapeHash(const std::vector<std::int64_t>& shape) {
    for (const std::int64_t number : shape) add(number);
  }

  // The low bits of FNV-1a are weak where only the last byte differs: fold the high ones in.
  bool is_even() const { return ((state_ >> 32 ^ state_ >> 16 ^ state_) & 1) == 0; }
  // The same of other bits.
  bool is_even_again() const { return ((state_ >> 40 ^ state_ >> 24 ^ state_ >> 8) & 1) == 0; }

 private:
  void add(std::int64_t number) {
    for (int byte = 0; byte < 8; ++byte) {
      state_ ^= (static_cast<std::uint64_t>(number) >> (8 * byte)) & 0xff;
      state_ *= 0x100000001b3ULL;
    }
  }

  std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

struct ShapeOf {
  using Shape = std::vector<std::int64_t>;

  Shape operator()(const work::Gemm& g) const { return {0, g.batch, g.m, g.n, g.k}; }
  Shape operator()(const work::AttentionPrefill& a) const {
    return {1, a.batch, a.seq_q, a.seq_kv, a.heads, a.kv_heads, a.head_dim, a.causal, a.window};
  }
  Shape operator()(const work::AttentionDecode& a) const {
    return {2, a.batch, a.seq_kv, a.heads, a.kv_heads, a.head_dim, a.window};
  }
  Shape operator()(const work::MlaPrefill& a) const { return {3, a.batch, a.seq_q, a.seq_kv, a.heads}; }
  Shape operator()(const work::MlaDecode& a) const { return {4, a.batch, a.seq_kv, a.heads}; }
  Shape operator()(const work::MoeGemm& m) const {
    return {5, m.tokens, m.hidden, m.inter, m.experts, m.topk, m.tp, m.ep};
  }
  Shape operator()(const work::Elementwise& e) const { return {6, static_cast<std::int64_t>(e.kind), e.rows, e.cols}; }
  Shape operator()(const work::Embedding& e) const { return {7, e.tokens, e.hidden, e.vocab}; }
  Shape operator()(const work::Sampling& s) const { return {8, s.rows, s.vocab}; }
  Shape operator()(const work::Collective& c) const {
    return {9, static_cast<std::int64_t>(c.kind), static_cast<std::int64_t>(c.bytes.si()), c.ranks};
  }
};

}  // namespace

std::vector<std::int64_t> shape_of(const work::Operator& op) { return std::visit(ShapeOf(), op); }

bool is_in_fit_half(const work::Operator& op) { return ShapeHash(shape_of(op)).is_even(); }

bool is_in_first_fold(const work::Operator& op) { return ShapeHash(shape_of(op)).is_even_again(); }

}  // namespace mlosim::suite
