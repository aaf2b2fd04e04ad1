#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "sim/units/check.hpp"
#include "validate/calibrate/render.hpp"
#include "validate/compare/score_json.hpp"

namespace mlosim::calibrate {
namespace {

using Json = nlohmann::ordered_json;

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::identified:
      return "identified";
    case Verdict::no_effect:
      return "no_effect";
    case Verdict::at_bound:
      return "at_bound";
    case Verdict::uncertain:
      return "uncertain";
    case Verdict::correlated:
      return "correlated";
  }
  MLOSIM_CHECK(false);
}

Json change_json(const Change& change) {
  return {{"before", compare::score_json(change.before)}, {"after", compare::score_json(change.after)}};
}

}  // namespace

std::string render_json(const Calibration& c) {
  Json parameters = Json::array();
  for (const FittedParameter& p : c.parameters) {
    parameters.push_back({{"parameter", p.parameter.path},
                          {"old", p.parameter.text},
                          {"new", p.text},
                          {"old_si", p.parameter.value},
                          {"new_si", p.value},
                          {"changed", p.is_changed},
                          {"standard_error", p.identification.standard_error},
                          {"verdict", name_of(p.identification.verdict)},
                          {"reason", p.identification.reason},
                          {"mape_gain", p.gain}});
  }
  const Json json{{"schema", "mlosim/calibration/1"},
                  {"chips", c.chips},
                  {"family", c.family},
                  {"runtime", c.runtime.empty() ? Json() : Json(c.runtime)},
                  {"suites", c.suites},
                  {"parameters", parameters},
                  {"notes", c.notes},
                  {"better", c.is_better},
                  {"stopped", c.is_stopped},
                  {"rows_in_steps", c.rows_in_steps},
                  {"shapes", c.shapes},
                  {"skipped", c.skipped},
                  {"fitted", change_json(c.fitted)},
                  {"held_out", change_json(c.held_out)}};
  return json.dump(1) + "\n";
}

}  // namespace mlosim::calibrate
