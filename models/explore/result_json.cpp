#include "models/explore/result_json.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace mlosim::explore {

Json number_or_null(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }

Json workloads_json(const Result& r) {
  Json workloads = Json::array();
  for (std::size_t w = 0; w < r.workloads.size(); ++w)
    workloads.push_back({{"name", r.workloads[w]}, {"weight", r.weights[w]}});
  return workloads;
}

}  // namespace mlosim::explore
