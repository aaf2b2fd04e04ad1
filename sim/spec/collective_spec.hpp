// A serving framework's own all-reduce, as a runtime's YAML gives it. The formula stands in sim/net/custom_all_reduce.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "sim/spec/node.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::spec {

// For small messages every rank reads its peers' buffers directly. Latencies are multiples of the chip's device-memory
// latency.
struct CustomAllReduce {
  double start = 0;                // memory latencies
  double hop = 0;                  // memory latencies per rank beyond the second
  double second_shot = 0;          // memory latencies of the two-shot form's middle barrier
  double one_shot_efficiency = 1;  // of the link bandwidth
  double two_shot_efficiency = 1;
  std::int64_t blocks = 1;                         // CTAs of its kernel
  Bytes largest;                                   // above it the library's collective is used
  std::map<std::string, Bytes> largest_by_family;  // chips whose limit is another, by ChipSpec::family

  Bytes largest_on(const std::string& family) const {
    const auto own = largest_by_family.find(family);
    return own == largest_by_family.end() ? largest : own->second;
  }
};

CustomAllReduce decode_custom_all_reduce(Node node);

}  // namespace mlosim::spec
