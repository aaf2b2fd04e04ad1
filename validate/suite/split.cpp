// Which half of the shapes a row belongs to.

#include <cstdint>
#include <initializer_list>

#include "validate/suite/measurement.hpp"

namespace mlosim::suite {
namespace {

// FNV-1a over the bytes of integers: the same on every machine, unlike std::hash.
class ShapeHash {
 public:
  explicit ShapeHash(std::size_t kind) { add(static_cast<std::int64_t>(kind)); }

  ShapeHash& add(std::int64_t number) {
    for (int byte = 0; byte < 8; ++byte) {
      state_ ^= (static_cast<std::uint64_t>(number) >> (8 * byte)) & 0xff;
      state_ *= 0x100000001b3ULL;
    }
    return *this;
  }
  ShapeHash& add(std::initializer_list<std::int64_t> numbers) {
    for (const std::int64_t number : numbers) add(number);
    return *this;
  }

  // The low bits of FNV-1a are weak where only the last byte differs: fold the high ones in.
  bool is_even() const { return ((state_ >> 32 ^ state_ >> 16 ^ state_) & 1) == 0; }
  // The same of other bits.
  bool is_even_again() const { return ((state_ >> 40 ^ state_ >> 24 ^ state_ >> 8) & 1) == 0; }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

struct AddShape {
  ShapeHash& hash;

  void operator()(const work::Gemm& g) const { hash.add({g.batch, g.m, g.n, g.k}); }
  void operator()(const work::AttentionPrefill& a) const {
    hash.add({a.batch, a.seq_q, a.seq_kv, a.heads, a.kv_heads, a.head_dim, a.causal, a.window});
  }
  void operator()(const work::AttentionDecode& a) const {
    hash.add({a.batch, a.seq_kv, a.heads, a.kv_heads, a.head_dim, a.window});
  }
  void operator()(const work::MlaPrefill& a) const { hash.add({a.batch, a.seq_q, a.seq_kv, a.heads}); }
  void operator()(const work::MlaDecode& a) const { hash.add({a.batch, a.seq_kv, a.heads}); }
  void operator()(const work::MoeGemm& m) const {
    hash.add({m.tokens, m.hidden, m.inter, m.experts, m.topk, m.tp, m.ep});
  }
  void operator()(const work::Elementwise& e) const { hash.add({static_cast<std::int64_t>(e.kind), e.rows, e.cols}); }
  void operator()(const work::Embedding& e) const { hash.add({e.tokens, e.hidden, e.vocab}); }
  void operator()(const work::Sampling& s) const { hash.add({s.rows, s.vocab}); }
  void operator()(const work::Collective& c) const {
    hash.add({static_cast<std::int64_t>(c.kind), static_cast<std::int64_t>(c.bytes.si()), c.ranks});
  }
};

ShapeHash hash_of(const work::Operator& op) {
  ShapeHash hash(op.index());
  std::visit(AddShape{hash}, op);
  return hash;
}

}  // namespace

bool is_in_fit_half(const work::Operator& op) { return hash_of(op).is_even(); }

bool is_in_first_fold(const work::Operator& op) { return hash_of(op).is_even_again(); }

}  // namespace mlosim::suite
