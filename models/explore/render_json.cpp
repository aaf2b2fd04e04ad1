#include <cmath>
#include <nlohmann/json.hpp>

#include "models/explore/render_result.hpp"
#include "models/explore/result_json.hpp"

namespace mlosim::explore {
namespace {

std::string_view name_of(ResultColumn::Kind kind) {
  switch (kind) {
    case ResultColumn::Kind::axis:
      return "axis";
    case ResultColumn::Kind::variable:
      return "variable";
    case ResultColumn::Kind::derived:
      return "derived";
  }
  return "";
}

Json point_json(const Result& r, const ResultPoint& point) {
  Json json{{"point", point.number}, {"feasible", point.is_feasible()}, {"on_front", point.on_front}};
  Json& values = json["values"] = Json::object();
  for (std::size_t c = 0; c < r.columns.size(); ++c)
    values[r.columns[c].name] = std::isfinite(point.numbers[c]) ? Json(point.numbers[c]) : Json(point.labels[c]);
  if (point.is_feasible()) {
    Json& objectives = json["objectives"] = Json::object();
    for (std::size_t o = 0; o < r.objectives.size(); ++o)
      objectives[r.objectives[o].name] = number_or_null(point.objectives[o]);
  } else {
    json["reason"] = point.reason;
  }
  for (std::size_t w = 0; w < point.metrics.size(); ++w) {
    Json& metrics = json["metrics"][r.workloads[w]] = Json::object();
    for (std::size_t m = 0; m < r.metrics.size(); ++m) metrics[r.metrics[m].name] = number_or_null(point.metrics[w][m]);
  }
  return json;
}

Json numbers_of(const Result& r, const std::vector<std::size_t>& indices) {
  Json numbers = Json::array();
  for (const std::size_t i : indices) numbers.push_back(r.kept[i].number);
  return numbers;
}

}  // namespace

std::string render_json(const Result& r) {
  Json json{{"schema", "mlosim/study-result/1"},
            {"study", r.study},
            {"description", r.description},
            {"method", r.method},
            {"fidelity", r.fidelity}};
  json["workloads"] = workloads_json(r);
  json["combine"] = r.combination;
  json["constraints"] = r.constraints;
  json["columns"] = Json::array();
  for (const ResultColumn& column : r.columns)
    json["columns"].push_back({{"name", column.name}, {"label", column.label}, {"kind", name_of(column.kind)}});
  json["objectives"] = Json::array();
  for (const ResultObjective& objective : r.objectives)
    json["objectives"].push_back({{"name", objective.name}, {"maximize", objective.maximises}});
  json["space"] = r.space;
  json["points"] = r.points;
  json["feasible"] = r.feasible;
  json["infeasible"] = Json::array();
  for (const auto& [reason, points] : r.infeasible)
    json["infeasible"].push_back({{"reason", reason}, {"points", points}});
  json["front"] = numbers_of(r, r.front);
  json["best"] = numbers_of(r, r.best);
  json["best_layouts"] = numbers_of(r, r.best_layouts);
  json["has_all_points"] = r.has_all_points;
  json["kept"] = Json::array();
  for (const ResultPoint& point : r.kept) json["kept"].push_back(point_json(r, point));
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace mlosim::explore
