// A serving framework's own all-reduce, as a runtime's YAML gives it. The formula stands in sim/net/custom_all_reduce.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/spec/node.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::spec {

// For small messages every rank reads its peers' buffers directly. Latencies are multiples of the chip's device-memory
// latency.
struct CustomAllReduce {
  // Chips and numbers of ranks for which it differs.
  struct Case {
    std::string family;                 // ChipSpec::family; empty: any
    std::optional<std::int64_t> ranks;  // left out: any
    std::optional<double> start;
    std::optional<Bytes> largest;  // where it is less than everybody's
  };

  double start = 0;                // memory latencies
  double hop = 0;                  // memory latencies per rank beyond the second
  double second_shot = 0;          // memory latencies of the two-shot form's middle barrier
  double one_shot_efficiency = 1;  // of the link bandwidth
  double two_shot_efficiency = 1;
  Bytes largest;                // above it the library's collective is used
  std::int64_t pcie_ranks = 0;  // that it joins over PCIe at most, where a rank cannot reach all others at full speed
  std::vector<Case> cases{};    // the first that fits holds

  // As it is among `ranks` chips of `family`, without cases.
  CustomAllReduce at(const std::string& family, std::int64_t ranks) const {
    CustomAllReduce own = *this;
    own.cases.clear();
    for (const Case& c : cases) {
      if ((!c.family.empty() && c.family != family) || (c.ranks && *c.ranks != ranks)) continue;
      own.start = c.start.value_or(start);
      own.largest = std::min(largest, c.largest.value_or(largest));
      break;
    }
    return own;
  }
};

CustomAllReduce decode_custom_all_reduce(Node node);

}  // namespace mlosim::spec
