// A YAML (or JSON) file as a plain tree with the place of every value. The only reader of YAML in mlosim.
//
// Guards against what yaml-cpp lets pass: duplicate keys are errors, '<<' is refused (yaml-cpp does not expand it),
// deep nesting, alias bombs and oversized files stop with a message. Scalars stay text: what they mean ("010", "on", "3
// us") is decided by the decoder that asks for them (node.hpp).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/spec/diagnostics.hpp"

namespace mlosim::spec {

struct Member;

struct Value {
  enum class Kind { null, scalar, sequence, mapping };

  Kind kind = Kind::null;
  std::string text{};           // of a scalar
  bool quoted = false;          // "8" in quotes is text, never a plain number
  std::vector<Value> items{};   // of a sequence
  std::vector<Member> members;  // of a mapping, in the file's order
  std::shared_ptr<const std::string> file{};
  int line = 0;
  int column = 0;

  Place place() const { return {file ? *file : std::string(), line, column}; }
  bool is_mapping() const { return kind == Kind::mapping; }
  bool is_scalar() const { return kind == Kind::scalar; }

  // The member `key` of a mapping, or null.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
};

struct Member {
  std::string key;
  Place key_place;
  Value value;
};

// Reads one document. `name` is the file's name in messages. Throws InputError.
Value parse_document(std::string_view text, const std::string& name);

// Reads a file, or standard input for "-". Throws InputError, also where the file is missing or larger than 4 MiB.
Value read_document(const std::string& path);

// A scalar that the user gave outside a file, such as `--set key=value`; `origin` stands for the file in messages.
Value make_scalar(std::string text, const std::string& origin);

// `base` with the members of `over` laid over it, mapping by mapping; scalars, sequences and annotated values
// ({value: …, kind: …}) are replaced as a whole.
Value merge(const Value& base, const Value& over);

// Sets the value at a dotted path such as "hbm.bandwidth" or "ops.0.m", making mappings on the way. Throws InputError
// where the path runs through a scalar or past the end of a sequence.
void set_at(Value& root, std::string_view path, Value value);

// YAML text of a tree; parse_document reads it back to the same tree (places aside).
std::string render_yaml(const Value& value);

}  // namespace mlosim::spec
