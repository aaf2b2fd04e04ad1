// Reads the parameters of one kernel: all of the standard one's, and of another kernel's what differs from it. Used by
// the decoders of cost-model parameters.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/spec/kernel_choice.hpp"
#include "sim/spec/node.hpp"

namespace mlosim::spec {

class ParameterBlock {
 public:
  // With a standard, a key that is missing keeps the standard's value; without, it is a mistake.
  ParameterBlock(Node& node, bool has_standard) : node_(node), has_standard_(has_standard) {}

  template <class Q>
  void quantity(std::string_view key, Q& value, Range range = Range::positive) {
    value = has_standard_ ? node_.value_or<Q>(key, value, range) : node_.require<Q>(key, range);
  }
  void number(std::string_view key, double& value, Range range) {
    value = has_standard_ ? node_.number_or(key, value, range) : node_.require_number(key, range);
  }
  // A side of a tile: bounded, so that products of sides stay exact integers.
  void side(std::string_view key, std::int64_t& value) {
    constexpr std::int64_t kMost = 1 << 20;
    value = has_standard_ ? node_.count_or(key, value) : node_.require_count(key);
    if (value > kMost) node_.fail_at(key, "'" + std::to_string(value) + "' is more than " + std::to_string(kMost));
    value = std::min(value, kMost);
  }

 private:
  Node& node_;
  bool has_standard_;
};

// A block and the kernels under its `kernels:`. `decode(node, parameters, has_standard)` reads the parameters' own
// keys.
template <class P, class Decode>
Kernels<P> decode_kernels(Node& node, Decode decode) {
  Kernels<P> kernels;
  decode(node, kernels.standard, false);
  for (auto& [name, special] : node.child("kernels").members()) {
    typename Kernels<P>::Special entry{.name = name, .when = {}, .parameters = kernels.standard};
    if (special.has("when")) entry.when = decode_condition(special.require_mapping("when"));
    decode(special, entry.parameters, true);
    special.finish();
    kernels.specials.push_back(std::move(entry));
  }
  node.finish();
  return kernels;
}

}  // namespace mlosim::spec
