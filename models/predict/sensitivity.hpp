// How a predicted time answers to the machine's parameters, by playing the workload again with one of them changed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/predict/predict.hpp"
#include "sim/spec/hardware.hpp"

namespace mlosim::predict {

// The time of the workload on other hardware.
using TimeOf = std::function<Seconds(const spec::Hardware&)>;

// d ln time / d ln p over the numbers at `paths`, all scaled together, by a central difference of ±2 %. Paths that the
// documents do not have count for nothing; none at all gives 0.
double elasticity(const spec::HardwareDocuments& documents, const std::vector<std::string>& paths, const TimeOf& time_of);

// Bottlenecks from the time by resource, with the elasticity to the parameters behind each.
std::vector<Bottleneck> find_bottlenecks(const Evaluation& evaluation, const spec::HardwareDocuments& documents, const spec::Hardware& hardware, const TimeOf& time_of);

// The derived and assumed numbers that move the time by at least 0.1 % for 1 % of theirs … of those the largest twelve.
std::vector<Assumption> find_assumptions(const spec::HardwareDocuments& documents, const spec::Hardware& hardware, const TimeOf& time_of);

}  // namespace mlosim::predict
