#include <nlohmann/json.hpp>

#include "validate/compare/render.hpp"

namespace mlosim::compare {
namespace {

using Json = nlohmann::ordered_json;

void add_score(Json& json, const Score& s) {
  json["rows"] = s.rows;
  json["mape"] = s.mape;
  json["median_ape"] = s.median_ape;
  json["p90_ape"] = s.p90_ape;
  json["bias"] = s.bias;
  json["interval_coverage"] = s.interval_coverage;
  json["baseline_mape"] = {{"roofline", s.roofline_mape}, {"three_constants", s.three_constants_mape}};
}

}  // namespace

std::string render_json(const Validation& v) {
  Json json{{"rows", v.rows.size()}, {"skipped", Json::array()}, {"groups", Json::array()}};
  for (const suite::Skipped& skipped : v.skipped)
    json["skipped"].push_back({{"row", skipped.row}, {"reason", skipped.reason}});
  for (const Group& group : v.groups) {
    Json entry = Json::object();
    for (std::size_t i = 0; i < v.group_by.size(); ++i) entry[std::string(name_of(v.group_by[i]))] = group.key[i];
    add_score(entry, group.score);
    json["groups"].push_back(std::move(entry));
  }
  json["overall"] = Json::object();
  add_score(json["overall"], v.overall);
  json["worst"] = Json::array();
  for (const std::size_t i : v.worst) {
    const ScoredRow& row = v.rows[i];
    json["worst"].push_back({{"row", row.label},
                             {"device", row.device},
                             {"op", row.op},
                             {"dtype", row.dtype},
                             {"software", row.software},
                             {"measured_s", row.measured},
                             {"predicted_s", row.predicted},
                             {"interval_s", {row.low, row.high}},
                             {"error", row.predicted / row.measured - 1},
                             {"bound", row.bound_by},
                             {"plan", row.plan}});
  }
  return json.dump(1) + '\n';
}

}  // namespace mlosim::compare
