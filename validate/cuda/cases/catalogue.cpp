#include "validate/cuda/cases/catalogue.hpp"

#include <iterator>

namespace mlosim::measure {

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (auto family : {memory_cases, latency_cases, host_copy_cases, launch_cases, peak_cases, gemm_cases,
                      elementwise_cases, sustained_cases, collective_cases})
    for (Case& one : family()) cases.push_back(std::move(one));
  return cases;
}

}  // namespace mlosim::measure
