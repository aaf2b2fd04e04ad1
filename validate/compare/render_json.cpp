#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "sim/units/check.hpp"
#include "validate/compare/render.hpp"
#include "validate/compare/score_json.hpp"

namespace mlosim::compare {
namespace {

using Json = nlohmann::ordered_json;

// What the names of a row's figures end in.
std::string_view unit_of(Measure measure) {
  switch (measure) {
    case Measure::time:
      return "s";
    case Measure::energy:
      return "j";
    case Measure::memory:
      return "bytes";
    case Measure::token_rate:
      return "tokens_per_s_per_chip";
  }
  MLOSIM_CHECK(false);
}

Json row_json(const ScoredRow& row) {
  const std::string unit(unit_of(row.measure));
  Json json{{"row", row.label},
            {"device", row.device},
            {"op", row.op},
            {"dtype", row.dtype},
            {"software", row.software},
            {"measured_" + unit, value_of(row.measure, row.measured)},
            {"predicted_" + unit, value_of(row.measure, row.predicted)},
            {"interval_" + unit, nullptr},
            {"error", row.predicted / row.measured - 1},
            {"bound", row.bound_by},
            {"plan", row.plan}};
  if (row.interval) {
    const Range interval = value_of(row.measure, *row.interval);
    json["interval_" + unit] = {interval.low, interval.high};
  }
  return json;
}

}  // namespace

std::string render_json(const Validation& v) {
  Json json{{"rows", v.rows.size()}, {"skipped", Json::array()}, {"groups", Json::array()}};
  for (const suite::Skipped& skipped : v.skipped)
    json["skipped"].push_back({{"row", skipped.row}, {"reason", skipped.reason}});
  for (const Group& group : v.groups) {
    Json entry = Json::object();
    for (std::size_t i = 0; i < v.group_by.size(); ++i) entry[std::string(name_of(v.group_by[i]))] = group.key[i];
    entry.update(score_json(group.score));
    json["groups"].push_back(std::move(entry));
  }
  json["overall"] = score_json(v.overall);
  json["worst"] = Json::array();
  for (const std::size_t i : v.worst) json["worst"].push_back(row_json(v.rows[i]));
  return json.dump(1) + '\n';
}

}  // namespace mlosim::compare
