#include "models/explore/gather.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "models/explore/front.hpp"
#include "models/explore/label.hpp"

namespace mlosim::explore {
namespace {

constexpr std::size_t kMostBuffered = 4096;

// "hbm.bandwidth" of "system.chip.hbm.bandwidth", "tp" of "parallelism.tp", as long as no other name ends so.
std::string short_end(const std::string& name, const std::vector<std::string>& others) {
  for (std::size_t dot = name.rfind('.'); dot != std::string::npos && dot > 0; dot = name.rfind('.', dot - 1)) {
    const std::string end = name.substr(dot);
    const auto same = std::count_if(others.begin(), others.end(), [&](const std::string& other) {
      return other.ends_with(end) || "." + other == end;
    });
    const bool says_of_what = dot == name.find('.') || end.find('.', 1) != std::string::npos;
    if (same <= 1 && says_of_what) return end.substr(1);
  }
  return name;
}

}  // namespace

Gatherer::Gatherer(const Blueprint& blueprint, const Space& space)
    : b_(blueprint),
      space_(space),
      shows_all_(shows_all(blueprint, space)),
      group_(blueprint.study.search.method == Method::best_parallelism ? space.layouts() : 0) {}

void Gatherer::add(ChunkResult chunk) {
  total_.points += chunk.points;
  total_.feasible += chunk.feasible;
  for (const auto& [reason, count] : chunk.reasons) total_.reasons[reason] += count;
  std::move(chunk.kept.begin(), chunk.kept.end(), std::back_inserter(total_.kept));
  if (shows_all_ || total_.kept.size() < 2 * thinned_ + kMostBuffered) return;
  keep_survivors(total_.kept, b_.objectives, group_);
  thinned_ = total_.kept.size();
}

void Gatherer::describe_columns(Result& result) const {
  std::vector<std::string> names;
  for (const Axis& axis : b_.study.axes) names.push_back(axis.name);
  for (const BoundDerived& derived : b_.derived) names.push_back(derived.name);
  for (const Axis& axis : b_.study.axes) {
    result.columns.push_back({.name = axis.name,
                              .label = short_end(axis.name, names),
                              .kind = axis.is_variable() ? ResultColumn::Kind::variable : ResultColumn::Kind::axis,
                              .dimension = axis.dimensions.front(),
                              .varies = axis.continuum.has_value() || axis.choices.size() > 1});
  }
  for (const BoundDerived& derived : b_.derived) {
    result.columns.push_back({.name = derived.name,
                              .label = short_end(derived.name, names),
                              .kind = ResultColumn::Kind::derived,
                              .dimension = derived.expression.dimension(),
                              .varies = true});
  }
}

ResultPoint Gatherer::describe(const Point& point) const {
  ResultPoint shown;
  shown.number = point.number;
  shown.objectives = point.objectives;
  shown.reason = point.reason;
  for (std::size_t a = 0; a < b_.study.axes.size(); ++a) {
    const Axis& axis = b_.study.axes[a];
    shown.labels.push_back(label_of(axis, point.at[a]));
    if (axis.continuum) {
      shown.numbers.push_back(point.at[a]);
    } else {
      const Choice& choice = axis.choices[static_cast<std::size_t>(point.at[a])];
      shown.numbers.push_back(axis.columns() == 1 ? choice.numbers.front() : std::numeric_limits<double>::quiet_NaN());
    }
  }
  for (std::size_t i = 0; i < b_.derived.size(); ++i) {
    shown.labels.push_back(label_of_number(point.derived[i], b_.derived[i].expression.dimension()));
    shown.numbers.push_back(point.derived[i]);
  }
  const std::size_t count = metrics().size();
  for (std::size_t first = 0; first < point.metrics.size(); first += count)
    shown.metrics.emplace_back(point.metrics.begin() + static_cast<std::ptrdiff_t>(first),
                               point.metrics.begin() + static_cast<std::ptrdiff_t>(first + count));
  return shown;
}

// Of each point of the other axes the layout that is best in the first objective.
void Gatherer::choose_best_layouts(Result& result) const {
  if (group_ == 0 || group_ == space_.size()) return;
  for (std::size_t i = 0; i < result.kept.size(); ++i) {
    const ResultPoint& point = result.kept[i];
    if (!point.is_feasible()) continue;
    const std::size_t last = result.best_layouts.empty() ? i : result.best_layouts.back();
    const bool is_same = !result.best_layouts.empty() && result.kept[last].number / group_ == point.number / group_;
    const double ours = point.objectives.front(), theirs = result.kept[last].objectives.front();
    const bool is_better = result.objectives.front().maximises ? ours > theirs : ours < theirs;
    if (!is_same) {
      result.best_layouts.push_back(i);
    } else if (is_better) {
      result.best_layouts.back() = i;
    }
  }
}

Result Gatherer::result() {
  if (!shows_all_) keep_survivors(total_.kept, b_.objectives, group_);
  Result r;
  r.study = b_.study.name;
  r.description = b_.study.description;
  r.method = name_of(b_.study.search.method);
  r.fidelity = chip::name_of(b_.study.fidelity);
  for (const BaseWorkload& w : b_.workloads) {
    r.workloads.push_back(w.name);
    r.weights.push_back(w.weight);
  }
  r.combination = name_of(b_.study.combination);
  for (const ConstraintText& constraint : b_.study.constraints) r.constraints.push_back(constraint.text);
  describe_columns(r);
  for (const BoundObjective& o : b_.objectives) r.objectives.push_back({o.name, o.maximises, o.expression.dimension()});
  for (const Metric& metric : metrics()) r.metrics.push_back({std::string(metric.name), metric.dimension});
  r.space = space_.size();
  r.points = total_.points;
  r.feasible = total_.feasible;
  r.infeasible.assign(total_.reasons.begin(), total_.reasons.end());
  std::stable_sort(r.infeasible.begin(), r.infeasible.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  r.has_all_points = shows_all_;
  r.front = find_front(total_.kept, b_.objectives);
  r.best = find_best(total_.kept, b_.objectives, kBestKept);
  for (const Point& point : total_.kept) r.kept.push_back(describe(point));
  for (const std::size_t i : r.front) r.kept[i].on_front = true;
  const bool maximises = b_.objectives.front().maximises;
  std::stable_sort(r.front.begin(), r.front.end(), [&](std::size_t a, std::size_t b) {
    const double x = r.kept[a].objectives.front(), y = r.kept[b].objectives.front();
    return maximises ? x > y : x < y;
  });
  choose_best_layouts(r);
  return r;
}

}  // namespace mlosim::explore
