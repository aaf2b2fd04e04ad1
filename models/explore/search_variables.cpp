#include "models/explore/search_variables.hpp"

#include <algorithm>
#include <cmath>

namespace mlosim::explore {
namespace {

bool is_fixed(const Axis& axis) {
  return axis.continuum ? axis.continuum->low == axis.continuum->high : axis.choices.size() == 1;
}

double to_search(const Continuum& c, double x) { return c.logarithmic ? std::log(x) : x; }

double from_search(const Axis& axis, double x) {
  if (!axis.continuum) return std::round(x);
  const Continuum& c = *axis.continuum;
  const double value = std::clamp(c.logarithmic ? std::exp(x) : x, c.low, c.high);
  return c.whole ? std::round(value) : value;
}

}  // namespace

SearchVariables::SearchVariables(const Study& study) : study_(study) {
  for (const bool continuous : {true, false}) {
    for (std::size_t a = 0; a < study.axes.size(); ++a) {
      if (!is_fixed(study.axes[a]) && study.axes[a].continuum.has_value() == continuous) axes_.push_back(a);
    }
  }
}

Evolution SearchVariables::evolution() const {
  Evolution evolution;
  evolution.objectives = study_.objectives.size();
  evolution.population = study_.search.population;
  evolution.generations = study_.search.generations;
  evolution.seed = static_cast<std::uint32_t>(study_.search.seed);  // decode_study sees to it that it is one
  for (const std::size_t a : axes_) {
    const Axis& axis = study_.axes[a];
    evolution.low.push_back(axis.continuum ? to_search(*axis.continuum, axis.continuum->low) : 0);
    evolution.high.push_back(axis.continuum ? to_search(*axis.continuum, axis.continuum->high)
                                            : static_cast<double>(axis.choices.size() - 1));
    evolution.whole += axis.continuum ? 0 : 1;
  }
  return evolution;
}

std::vector<double> SearchVariables::coordinates(std::span<const double> individual) const {
  std::vector<double> at;
  for (const Axis& axis : study_.axes) at.push_back(axis.continuum ? axis.continuum->low : 0);
  for (std::size_t v = 0; v < axes_.size(); ++v) at[axes_[v]] = from_search(study_.axes[axes_[v]], individual[v]);
  return at;
}

}  // namespace mlosim::explore
