#include "models/predict/comparison_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/units/format.hpp"

namespace mlosim::predict {
namespace {

constexpr double kShown = 0.005;  // of a ratio with two decimals

double speed(const Prediction& p, const Prediction& base) {
  return base.evaluation.total.makespan / p.evaluation.total.makespan;
}

}  // namespace

const Prediction* first_of(const std::vector<Compared>& rows) {
  for (const Compared& row : rows) {
    if (row.prediction) return &*row.prediction;
  }
  return nullptr;
}

bool has_reasons(const Compared& row, const Prediction& base) {
  return row.prediction && !row.reasons.empty() && std::abs(speed(*row.prediction, base) - 1) >= kShown;
}

std::string describe_speed(const Prediction& p, const Prediction& base) {
  const double ratio = speed(p, base);
  return fmt::format("{:.2f}x {}", ratio >= 1 ? ratio : 1 / ratio, ratio >= 1 ? "faster" : "slower");
}

std::optional<double> share_of(const Reason& reason, const std::vector<Reason>& reasons) {
  constexpr double kLeastGap = 0.02;  // logarithm of a ratio that has shares to speak of
  double all = 0;
  for (const Reason& r : reasons) all += std::log(r.factor);
  return std::abs(all) > kLeastGap ? std::optional(std::log(reason.factor) / all) : std::nullopt;
}

std::vector<std::pair<std::string_view, Seconds>> differences_of(const Prediction& p, const Prediction& base) {
  const report::TimeBreakdown &own = p.evaluation.total.breakdown, &other = base.evaluation.total.breakdown;
  std::vector<std::pair<std::string_view, Seconds>> parts{
      {"compute", own.compute - other.compute},
      {"memory", own.memory - other.memory},
      {"communication", own.communication_exposed - other.communication_exposed},
      {"bubble", own.bubble - other.bubble},
      {"overhead", own.overhead - other.overhead},
      {"optimizer", own.optimizer - other.optimizer}};
  const auto size = [](Seconds time) { return std::abs(time.si()); };
  std::stable_sort(parts.begin(), parts.end(),
                   [&](const auto& a, const auto& b) { return size(a.second) > size(b.second); });
  return parts;
}

std::string describe_differences(const Prediction& p, const Prediction& base) {
  std::string text;
  for (const auto& [name, time] : differences_of(p, base)) {
    if (std::abs(time / base.evaluation.total.makespan) < kShown) continue;
    text += fmt::format("{}{} {}{}", text.empty() ? "" : ", ", name, time > Seconds(0) ? "+" : "-",
                        format_short(Seconds(std::abs(time.si()))));
  }
  return text;
}

std::optional<double> energy_per_token(const Prediction& p) {
  if (p.evaluation.tokens <= 0) return std::nullopt;
  return p.economics.facility.value_or(p.energy).si() / p.evaluation.tokens;
}

std::optional<double> dollars_per_million_tokens(const Prediction& p) {
  const std::optional<Dollars>& money = p.economics.per_million_tokens;
  return money ? std::optional(money->si()) : std::nullopt;
}

}  // namespace mlosim::predict
