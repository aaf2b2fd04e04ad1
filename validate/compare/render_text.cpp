#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "sim/units/check.hpp"
#include "sim/units/format.hpp"
#include "validate/compare/render.hpp"

namespace mlosim::compare {
namespace {

constexpr std::size_t kMostReasons = 12;

// Of the rows that have the figure; "-" where none has.
std::string percent(std::size_t rows, double fraction) {
  return rows > 0 ? fmt::format("{:.1f}", 100 * fraction) : "-";
}

std::string signed_percent(std::size_t rows, double fraction) {
  return rows > 0 ? fmt::format("{:+.1f}", 100 * fraction) : "-";
}

std::string render_score(const Score& s) {
  return fmt::format("{:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>9} {:>9}", s.rows, percent(s.rows, s.mape),
                     percent(s.rows, s.median_ape), percent(s.rows, s.p90_ape), signed_percent(s.rows, s.bias),
                     percent(s.interval_rows, s.interval_coverage), percent(s.baseline_rows, s.roofline_mape),
                     percent(s.baseline_rows, s.three_constants_mape));
}

// In the source's own unit.
std::string render_cost(Measure measure, double cost) {
  const double value = value_of(measure, cost);
  switch (measure) {
    case Measure::time:
      return format_short(Seconds(value));
    case Measure::energy:
      return format_short(Joules(value));
    case Measure::power:
      return format_short(Watts(value));
    case Measure::memory:
      return format_short(Bytes(value));
    case Measure::token_rate:
      return fmt::format("{:.4g} tok/s", value);
  }
  MLOSIM_CHECK(false);
}

// A table's file name is enough where a label's path is long.
std::string short_label(const std::string& label) {
  const std::size_t slash = label.rfind('/');
  return slash == std::string::npos ? label : label.substr(slash + 1);
}

// A table with a line for each group, one for all rows, and `figures` behind their names.
template <class Figures>
std::string render_table(const Validation& v, const std::string& heads, Figures figures) {
  std::vector<std::size_t> widths;
  for (const GroupKey key : v.group_by) widths.push_back(name_of(key).size());
  for (const Group& group : v.groups) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], group.key[i].size());
  }
  std::string text;
  std::size_t width = 0;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    text += fmt::format("{:<{}}  ", name_of(v.group_by[i]), widths[i]);
    width += widths[i] + 2;
  }
  text += heads;
  for (const Group& group : v.groups) {
    for (std::size_t i = 0; i < widths.size(); ++i) text += fmt::format("{:<{}}  ", group.key[i], widths[i]);
    text += figures(group.score, group.disagreement);
  }
  text += fmt::format("{:<{}}{}", "all", width, figures(v.overall, v.disagreement));
  return text;
}

std::string render_groups(const Validation& v) {
  return render_table(v,
                      fmt::format("{:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>9} {:>9}\n", "rows", "MAPE", "median", "p90",
                                  "bias", "in 80 %", "roofline", "3 const."),
                      [](const Score& s, const auto&) { return render_score(s) + '\n'; });
}

std::string render_fidelities(const Validation& v) {
  const auto figures = [](const Score&, const std::optional<Disagreement>& compared) {
    const Disagreement d = compared.value_or(Disagreement());
    return fmt::format("{:>7} {:>7} {:>8} {:>7} {:>8} {:>8} {:>7} {:>8}\n", d.rows, percent(d.rows, d.event_mape),
                       percent(d.rows, d.analytic_mape), signed_percent(d.rows, d.event_bias),
                       signed_percent(d.rows, d.analytic_bias), percent(d.rows, d.median), percent(d.rows, d.p90),
                       signed_percent(d.rows, d.bias));
  };
  std::string text =
      "\nplayed beside closed forms: MAPE and bias of both in %, and 100 ln(event / analytic): median and p90 of its "
      "magnitude, mean\n" +
      render_table(v,
                   fmt::format("{:>7} {:>7} {:>8} {:>7} {:>8} {:>8} {:>7} {:>8}\n", "rows", "event", "analytic", "bias",
                               "bias", "|ln| med", "p90", "mean"),
                   figures);
  if (v.apart.empty()) return text;
  text += fmt::format("\nrows that they disagree most about\n{:<44} {:>11} {:>11} {:>11} {:>7}  {:<16} {}\n", "",
                      "measured", "event", "analytic", "ln", "bound by", "plan");
  for (const std::size_t i : v.apart) {
    const ScoredRow& row = v.rows[i];
    text += fmt::format("{:<44} {:>11} {:>11} {:>11} {:>+7.2f}  {:<16} {}\n", short_label(row.label),
                        render_cost(row.measure, row.measured), render_cost(row.measure, row.predicted),
                        render_cost(row.measure, *row.analytic), log_apart(row), row.bound_by, row.plan);
  }
  return text;
}

std::string render_worst(const Validation& v) {
  std::string text = fmt::format("\nworst rows\n{:<44} {:>11} {:>11} {:>7}  {:<16} {}\n", "", "measured", "predicted",
                                 "error", "bound by", "plan");
  for (const std::size_t i : v.worst) {
    const ScoredRow& row = v.rows[i];
    text += fmt::format("{:<44} {:>11} {:>11} {:>6.0f}%  {:<16} {}\n", short_label(row.label),
                        render_cost(row.measure, row.measured), render_cost(row.measure, row.predicted),
                        100 * (row.predicted / row.measured - 1), row.bound_by, row.plan);
  }
  return text;
}

std::string render_skipped(const Validation& v) {
  std::map<std::string, std::size_t> reasons;
  for (const suite::Skipped& skipped : v.skipped) ++reasons[skipped.reason];
  std::vector<std::pair<std::size_t, std::string>> by_count;
  for (const auto& [reason, count] : reasons) by_count.emplace_back(count, reason);
  std::stable_sort(by_count.begin(), by_count.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text = fmt::format("\nskipped: {} rows\n", v.skipped.size());
  for (std::size_t i = 0; i < std::min(by_count.size(), kMostReasons); ++i)
    text += fmt::format("{:>7}  {}\n", by_count[i].first, by_count[i].second);
  if (by_count.size() > kMostReasons)
    text += fmt::format("         and {} more reasons\n", by_count.size() - kMostReasons);
  return text;
}

}  // namespace

std::string_view name_of(GroupKey key) {
  switch (key) {
    case GroupKey::device:
      return "device";
    case GroupKey::op:
      return "op";
    case GroupKey::dtype:
      return "dtype";
    case GroupKey::software:
      return "software";
  }
  return "";
}

std::string render_text(const Validation& v) {
  std::string text =
      "absolute errors and bias in %; in 80 %: rows inside their interval, of those that have one\n" + render_groups(v);
  if (v.disagreement) text += render_fidelities(v);
  if (!v.worst.empty()) text += render_worst(v);
  if (!v.skipped.empty()) text += render_skipped(v);
  return text;
}

}  // namespace mlosim::compare
