// What a point is judged by: the figures of a result (interfaces.md) that are numbers. One row a metric; a new one is a
// row here and nothing else. A figure that a prediction lacks is NaN.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/predict/predict.hpp"
#include "sim/units/parse.hpp"

namespace mlosim::explore {

struct Metric {
  std::string_view name;  // as in the JSON result
  Dimension dimension;
  bool maximises = false;                                         // whether more is better
  double (*of)(const predict::Prediction& prediction) = nullptr;  // in SI base units
  std::string_view missing;                                       // why a prediction may lack it
};

std::span<const Metric> metrics();
std::optional<std::size_t> find_metric(std::string_view name);
std::vector<std::string> metric_names();

}  // namespace mlosim::explore
