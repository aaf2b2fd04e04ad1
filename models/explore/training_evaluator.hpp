// Evaluates training layouts by the million: documents are read and decoded once for all points that share their
// machine and their run; a layout is a handful of numbers laid over the decoded run.
#pragma once

#include <memory>

#include "models/explore/evaluator.hpp"

namespace mlosim::explore {

// Requires: shares_layouts(blueprint).
std::unique_ptr<Evaluator> make_training_evaluator(const Blueprint& blueprint, SharedSettings& settings);

}  // namespace mlosim::explore
