// Which operators are work on each element alone. Internal to models/plan.
#pragma once

#include "sim/work/operator.hpp"

namespace mlosim::plan {

// True for what a compiler folds into the product before or after it: each result depends on one element of each
// operand.
bool is_pointwise(const work::Operator& op);

}  // namespace mlosim::plan
