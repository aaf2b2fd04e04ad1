#include "validate/cuda/measure/case.hpp"

#include <algorithm>

namespace mlosim::measure {

const char* to_string(Group group) {
  switch (group) {
    case Group::memory:
      return "memory";
    case Group::launch:
      return "launch";
    case Group::peak:
      return "peak";
    case Group::gemm:
      return "gemm";
    case Group::elementwise:
      return "elementwise";
    case Group::sustained:
      return "sustained";
    case Group::collective:
      return "collective";
  }
  return "";
}

const std::vector<Group>& all_groups() {
  static const std::vector<Group> kGroups = {Group::memory,      Group::launch,    Group::peak,      Group::gemm,
                                             Group::elementwise, Group::sustained, Group::collective};
  return kGroups;
}

Seconds roofline_guess(double bytes, double bytes_per_s, double flops, double flops_per_s) {
  const double memory = bytes_per_s > 0 ? bytes / bytes_per_s : 0;
  const double compute = flops_per_s > 0 ? flops / flops_per_s : 0;
  return Seconds(std::max(memory, compute));
}

}  // namespace mlosim::measure
