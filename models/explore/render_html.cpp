#include "models/explore/render_html.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "models/explore/result_json.hpp"
#include "models/predict/escape_xml.hpp"
#include "sim/units/format.hpp"

namespace mlosim::explore {
namespace {

Json numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(number_or_null(value));
  return list;
}

// "B/s", "$", "": of a number in base units.
std::string unit_of(const Dimension& dimension) {
  const std::string one = format_exact(1, dimension);
  const std::size_t space = one.find(' ');
  return space == std::string::npos ? "" : one.substr(space + 1);
}

template <class Items, class Describe>
Json list_of(const Items& items, Describe describe) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(describe(item));
  return list;
}

// Points that are not feasible have no figures to draw: their reasons are counted.
Json page_data(const Result& r) {
  Json json{{"study", r.study},        {"description", r.description}, {"method", r.method},
            {"fidelity", r.fidelity},  {"combine", r.combination},     {"constraints", r.constraints},
            {"points_seen", r.points}, {"feasible", r.feasible},       {"has_all_points", r.has_all_points}};
  json["workloads"] = workloads_json(r);
  json["infeasible"] = list_of(r.infeasible, [](const auto& reason) {
    return Json{{"reason", reason.first}, {"points", reason.second}};
  });
  json["columns"] = list_of(r.columns, [](const ResultColumn& column) {
    return Json{{"label", column.label}, {"unit", unit_of(column.dimension)}, {"varies", column.varies}};
  });
  json["objectives"] = list_of(r.objectives, [](const ResultObjective& objective) {
    return Json{{"name", objective.name}, {"maximize", objective.maximises}, {"unit", unit_of(objective.dimension)}};
  });
  json["metrics"] = list_of(r.metrics, [](const ResultMetric& metric) {
    return Json{{"name", metric.name}, {"unit", unit_of(metric.dimension)}};
  });
  std::vector<std::size_t> drawn(r.kept.size(), 0);  // index in the page
  Json& points = json["points"] = Json::array();
  for (std::size_t i = 0; i < r.kept.size(); ++i) {
    const ResultPoint& point = r.kept[i];
    if (!point.is_feasible()) continue;
    drawn[i] = points.size();
    points.push_back({{"number", point.number},
                      {"front", point.on_front},
                      {"labels", point.labels},
                      {"numbers", numbers(point.numbers)},
                      {"objectives", numbers(point.objectives)},
                      {"metrics", list_of(point.metrics, numbers)}});
  }
  json["front"] = list_of(r.front, [&](std::size_t i) { return Json(drawn[i]); });
  return json;
}

// JSON that no parser of HTML takes for the end of its element.
std::string as_script_data(const Json& json) {
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace), safe;
  safe.reserve(text.size());
  for (const char c : text) c == '<' ? safe += "\\u003c" : safe += c;
  return safe;
}

}  // namespace

std::string render_html(const Result& result, const PageParts& parts) {
  return fmt::format(R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<title>{}</title>
<style>
{}</style>
</head>
<body>
<main id="page"></main>
<script type="application/json" id="study">{}</script>
<script>
{}</script>
</body>
</html>
)",
                     predict::escape_xml(result.study), parts.style, as_script_data(page_data(result)), parts.script);
}

}  // namespace mlosim::explore
