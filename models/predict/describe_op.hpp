// An operator's shape and formats in the words of the contract, for reports.
#pragma once

#include <string>

#include "sim/work/operator.hpp"

namespace mlosim::predict {

// "m 64, n 7168, k 8192, bf16", without the operator's name.
std::string describe_shape(const work::Operator& op);

}  // namespace mlosim::predict
