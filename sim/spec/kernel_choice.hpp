// Which of a library's kernels runs a call: a block of parameters describes the standard kernel, its `kernels:` those
// that the library takes where `when:` holds, by what they change. The first that holds is taken; one without `when:`
// only by name, where a benchmark says that it ran.
//
//   attention: {decode: {fixed: …, kernels: {per_head: {when: {group: {from: 33}}, heads_per_cta: 1}}}}
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/spec/node.hpp"
#include "sim/work/dtype.hpp"

namespace mlosim::spec {

// Sizes of a call that libraries choose by. group: query heads of a KV head; keys: all positions; hidden: those
// that the window hides from the last query; blocks: CTAs in hundredths of the chip's units, were each 128 keys of a KV
// head given one; reach: rows that an expert gets on average, rounded up.
enum class CallSize { batch, queries, keys, hidden, heads, group, head_dim, blocks, tokens, experts, reach };
inline constexpr std::size_t kCallSizes = 11;

// What of a call its kernel may depend on; what does not apply stays 0 or empty.
struct KernelCall {
  std::array<std::int64_t, kCallSizes> sizes{};
  std::optional<work::DType> dtype{};     // of queries, of activations
  std::optional<work::DType> kv_dtype{};  // of the cache
  std::optional<work::DType> weights{};
  bool window = false;
  bool causal = true;

  std::int64_t& operator[](CallSize size) { return sizes[static_cast<std::size_t>(size)]; }
  std::int64_t operator[](CallSize size) const { return sizes[static_cast<std::size_t>(size)]; }
};

// `when:`; all that is said must hold, and nothing said holds always.
struct KernelCondition {
  // The size lies within one of the ranges.
  struct SizeRange {
    std::int64_t from = 0, to = 0;
  };
  struct SizeIn {
    CallSize size = CallSize::batch;
    std::vector<SizeRange> ranges{};
  };
  std::vector<SizeIn> sizes{};
  std::vector<work::DType> dtype{}, kv_dtype{}, weights{};  // one of them
  std::optional<bool> window{}, causal{};

  bool holds(const KernelCall& call) const;
};

KernelCondition decode_condition(Node node);

// One kind of operator's kernels: a block of parameters P.
template <class P>
struct Kernels {
  struct Special {
    std::string name;
    std::optional<KernelCondition> when{};  // none: taken by name alone
    P parameters{};
  };
  P standard{};
  std::vector<Special> specials{};

  // The first whose condition holds; of those whose names begin with `named`, which a benchmark says ran, where there
  // is one.
  const P& of(const KernelCall& call, std::string_view named = {}) const {
    const Special* first = nullptr;
    for (const Special& special : specials) {
      const bool is_named = !named.empty() && std::string_view(special.name).starts_with(named);
      if (special.when ? !special.when->holds(call) : !is_named) continue;
      if (is_named || named.empty()) return special.parameters;
      if (!first) first = &special;
    }
    if (first) return first->parameters;
    return standard;
  }
};

}  // namespace mlosim::spec
