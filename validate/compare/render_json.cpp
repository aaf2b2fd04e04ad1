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
    case Measure::power:
      return "w";
    case Measure::memory:
      return "bytes";
    case Measure::token_rate:
      return "tokens_per_s_per_chip";
  }
  MLOSIM_CHECK(false);
}

Json disagreement_json(const Disagreement& d) {
  const auto of_rows = [&](double figure) { return d.rows > 0 ? Json(figure) : Json(); };
  return {{"rows", d.rows},
          {"event", {{"mape", of_rows(d.event_mape)}, {"bias", of_rows(d.event_bias)}}},
          {"analytic", {{"mape", of_rows(d.analytic_mape)}, {"bias", of_rows(d.analytic_bias)}}},
          {"log_ratio", {{"median", of_rows(d.median)}, {"p90", of_rows(d.p90)}, {"bias", of_rows(d.bias)}}}};
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
  if (row.analytic) {
    json["analytic_" + unit] = value_of(row.measure, *row.analytic);
    json["log_ratio"] = log_apart(row);
  }
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
    if (group.disagreement) entry["fidelities"] = disagreement_json(*group.disagreement);
    json["groups"].push_back(std::move(entry));
  }
  json["overall"] = score_json(v.overall);
  if (v.disagreement) {
    json["overall"]["fidelities"] = disagreement_json(*v.disagreement);
    json["apart"] = Json::array();
    for (const std::size_t i : v.apart) json["apart"].push_back(row_json(v.rows[i]));
  }
  json["worst"] = Json::array();
  for (const std::size_t i : v.worst) json["worst"].push_back(row_json(v.rows[i]));
  return json.dump(1) + '\n';
}

}  // namespace mlosim::compare
