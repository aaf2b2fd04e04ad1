// The host halves of all cases, one function a family; catalogue.cpp puts them together as `all_cases`. No CUDA.
#pragma once

#include <vector>

#include "validate/cuda/measure/case.hpp"

namespace mlosim::measure {

std::vector<Case> memory_cases();
std::vector<Case> latency_cases();
std::vector<Case> host_copy_cases();
std::vector<Case> launch_cases();
std::vector<Case> peak_cases();
std::vector<Case> gemm_cases();
std::vector<Case> elementwise_cases();
std::vector<Case> sustained_cases();
std::vector<Case> collective_cases();

}  // namespace mlosim::measure
