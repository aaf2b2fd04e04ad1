#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "validate/calibrate/render.hpp"

namespace mlosim::calibrate {
namespace {

std::string percent(double share) { return fmt::format("{:.1f}", 100 * share); }

std::string score_lines(const std::string& half, const Change& change) {
  if (change.after.rows == 0) return fmt::format("  {:<9} {:<7} {:>6} {:>7}\n", half, "", 0, "-");
  std::string out;
  const auto line = [&](std::string_view when, const compare::Score& s) {
    out += fmt::format("  {:<9} {:<7} {:>6} {:>7} {:>7} {:>7} {:>7} {:>10} {:>10}\n", half, when, s.rows,
                       percent(s.mape), percent(s.median_ape), percent(s.p90_ape), fmt::format("{:+.1f}", 100 * s.bias),
                       percent(s.roofline_mape), percent(s.three_constants_mape));
  };
  line("before", change.before);
  line("after", change.after);
  return out;
}

std::string parameter_line(const FittedParameter& p, std::size_t width) {
  std::string out =
      fmt::format("  {:<{}}  {:>14} {:>14}", p.parameter.path, width, p.parameter.text, p.is_changed ? p.text : "kept");
  if (!p.is_changed) return out + "\n";
  if (p.parameter.rule.is_discrete())
    return out + fmt::format(" {:>8} {:>8}\n", "-", fmt::format("{:+.2f}", 100 * p.gain));
  return out + fmt::format(" {:>8} {:>8}\n", fmt::format("{:.1f} %", 100 * p.identification.standard_error),
                           fmt::format("{:+.2f}", 100 * p.gain));
}

}  // namespace

std::string render_text(const Calibration& c) {
  std::string out = fmt::format("Calibration of {} ({}{}) to {}\n", fmt::join(c.chips, ", "), c.family,
                                c.runtime.empty() ? "" : ", kernels of " + c.runtime, fmt::join(c.suites, ", "));
  out += fmt::format("  {} rows fitted, {} held out, {} skipped; steps on {} rows of {} shapes\n", c.fitted.after.rows,
                     c.held_out.after.rows, c.skipped, c.rows_in_steps, c.shapes);
  if (c.is_stopped) out += "  stopped before the end: the best so far\n";
  for (const std::string& note : c.notes) out += "  " + note + "\n";
  if (!c.is_better) out += "  no better than before on the fitted rows: all numbers are kept\n";
  std::size_t width = 9;
  for (const FittedParameter& p : c.parameters) width = std::max(width, p.parameter.path.size());
  out += fmt::format("\n  {:<{}}  {:>14} {:>14} {:>8} {:>8}\n", "parameter", width, "old", "new", "se", "worth");
  for (const FittedParameter& p : c.parameters) out += parameter_line(p, width);
  out += "  se: standard error, of the value; worth: percentage points of MAPE lost with the old number put back\n";
  std::string unknown;
  for (const FittedParameter& p : c.parameters) {
    if (p.identification.verdict != Verdict::identified)
      unknown += fmt::format("  {}: {}\n", p.parameter.path, p.identification.reason);
  }
  if (!unknown.empty()) out += "\nNot identified by these rows, and kept:\n" + unknown;
  std::string also;
  for (const FittedParameter& p : c.parameters) {
    if (p.is_changed && !p.parameter.rule.also_moves.empty())
      also += fmt::format("  {}: {}\n", p.parameter.path, fmt::join(p.parameter.rule.also_moves, ", "));
  }
  if (!also.empty()) out += "\nChanged numbers that enter other operators too:\n" + also;
  out += fmt::format("\n  {:<9} {:<7} {:>6} {:>7} {:>7} {:>7} {:>7} {:>10} {:>10}\n", "half", "", "rows", "MAPE",
                     "median", "p90", "bias", "roofline", "3 const.");
  out += score_lines("fitted", c.fitted) + score_lines("held out", c.held_out);
  return out;
}

}  // namespace mlosim::calibrate
