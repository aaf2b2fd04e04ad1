// A cursor over a document while it is decoded into a struct. Every read checks; what is wrong goes to the Decoding's
// diagnostics and a harmless value comes back, so that one pass finds all mistakes. finish() reports the keys that
// nobody asked for, with the nearest one that somebody did. A mapping that is missing, or is none, is one mistake: what
// would have been read from it is not reported too.
//
// A number may be annotated with where it comes from: {value: 3.35 TB/s, kind: datasheet, source: …}.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/spec/diagnostics.hpp"
#include "sim/spec/document.hpp"
#include "sim/spec/provenance.hpp"
#include "sim/units/parse.hpp"

namespace mlosim::spec {

// What one decoding run collects.
struct Decoding {
  Diagnostics diagnostics{};
  ProvenanceTable provenance{};
  std::vector<std::string> warnings{};
  bool keeps_provenance = true;  // a document that is decoded again and again has the same each time
};

// The values a number may take.
enum class Range { positive, non_negative, any, fraction };  // fraction: 0 < x <= 1

class Node {
 public:
  // `path` names the root in messages ("chip"); both pointers outlive the node. A null value is an absent node.
  Node(const Value* value, std::string path, Decoding* decoding);

  bool is_present() const { return value_ != nullptr && value_->kind != Value::Kind::null; }
  bool is_mapping() const { return is_present() && value_->is_mapping(); }
  bool is_scalar() const { return is_present() && value_->is_scalar(); }
  bool is_sequence() const { return is_present() && value_->kind == Value::Kind::sequence; }
  // Whether there is a member `key`. Hints name it from then on; to be counted as asked for it must still be read.
  bool has(std::string_view key) const;
  const Value* value() const { return value_; }
  const std::string& path() const { return path_; }
  Decoding& decoding() const { return *decoding_; }

  // The member `key`; absent where there is none.
  Node child(std::string_view key);
  // The member `key`, which must be there and be a mapping.
  Node require_mapping(std::string_view key);
  // The members of a mapping, in order, all counted as asked for.
  std::vector<std::pair<std::string, Node>> members();
  // The items of a sequence.
  std::vector<Node> items();

  // Quantities of dimension Q.
  template <class Q>
  Q require(std::string_view key, Range range = Range::positive) {
    return Q(read_number(key, dimension_of(Q()), range, std::nullopt));
  }
  template <class Q>
  Q value_or(std::string_view key, Q fallback, Range range = Range::positive) {
    return Q(read_number(key, dimension_of(Q()), range, fallback.si()));
  }
  template <class Q>
  Q as(Range range = Range::positive) const {
    return Q(number_here(dimension_of(Q()), range).value_or(1));
  }

  // Plain numbers and counts.
  double require_number(std::string_view key, Range range = Range::positive) {
    return read_number(key, {}, range, std::nullopt);
  }
  double number_or(std::string_view key, double fallback, Range range = Range::positive) {
    return read_number(key, {}, range, fallback);
  }
  double as_number(Range range = Range::positive) const { return number_here({}, range).value_or(1); }
  std::int64_t require_count(std::string_view key, std::int64_t least = 1);
  std::int64_t count_or(std::string_view key, std::int64_t fallback, std::int64_t least = 1);
  std::int64_t as_count(std::int64_t least = 1) const;

  bool flag_or(std::string_view key, bool fallback);
  std::string require_text(std::string_view key);
  std::string text_or(std::string_view key, std::string fallback);
  std::string as_text() const;

  // One of a closed list of words.
  template <class E>
  using Words = std::initializer_list<std::pair<std::string_view, E>>;
  template <class E>
  E require_word(std::string_view key, Words<E> words) {
    return static_cast<E>(read_word(key, indexed(words), std::nullopt));
  }
  template <class E>
  E word_or(std::string_view key, Words<E> words, E fallback) {
    return static_cast<E>(read_word(key, indexed(words), static_cast<int>(fallback)));
  }
  template <class E>
  E as_word(Words<E> words) const {
    return static_cast<E>(word_here(indexed(words)).value_or(static_cast<int>(words.begin()->second)));
  }

  // Reports a mistake at this node, or at its member `key`.
  void fail(std::string message, std::string hint = "") const;
  void fail_at(std::string_view key, std::string message, std::string hint = "") const;
  void warn(const std::string& message) const;

  // Reads `kind` and `source` of a block whose lists cannot carry an annotation each.
  void read_block_source();
  // Checks that `schema: <expected>` is there.
  void expect_schema(std::string_view expected);
  // Reports every member that was not asked for. Call it once, after the last read.
  void finish() const;

 private:
  using IndexedWords = std::vector<std::pair<std::string_view, int>>;

  template <class E>
  static IndexedWords indexed(Words<E> words) {
    IndexedWords list;
    for (const auto& [word, value] : words) list.emplace_back(word, static_cast<int>(value));
    return list;
  }

  const Value* ask(std::string_view key);
  bool is_mapping_or_fails();
  double read_number(std::string_view key, Dimension dimension, Range range, std::optional<double> fallback);
  std::optional<double> number_here(Dimension dimension, Range range) const;
  std::optional<std::int64_t> count_here(std::int64_t least) const;
  int read_word(std::string_view key, const IndexedWords& words, std::optional<int> fallback);
  std::optional<int> word_here(const IndexedWords& words) const;
  // The scalar that carries the number, recording where it comes from; null (and a diagnostic) where there is none.
  const Value* annotated_scalar() const;
  // The kind of an annotated number, reporting what is wrong with its annotation.
  SourceKind annotated_kind() const;
  Place place() const { return nearest_ ? nearest_->place() : Place{}; }

  const Value* value_;
  std::string path_;
  Decoding* decoding_;
  const Value* nearest_;       // the value, or where it is absent the nearest one around it, to point at
  bool is_known_bad_ = false;  // reported already: further mistakes here and below follow from it
  std::vector<std::string> asked_;
  mutable std::vector<std::string> looked_for_;  // by has(); for hints alone
};

}  // namespace mlosim::spec
