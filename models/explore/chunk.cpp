#include "models/explore/chunk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/explore/front.hpp"

namespace mlosim::explore {
namespace {

constexpr std::uint64_t kSmallStudy = 100'000, kMostShown = 2'000'000;
constexpr std::size_t kMostBuffered = 512;  // survivors that wait to be thinned out

constexpr std::string_view kConstraint = "constraint ";

// Sentences that differ in their numbers alone are one reason; of a constraint the number is what matters, and those of
// a name ("tpu_v5e", "bf16") are no numbers.
std::string without_numbers(const std::string& reason) {
  if (reason.starts_with(kConstraint)) return reason;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_of_name = [&](char c) {
    return c == '_' || is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  std::string text;
  for (std::size_t i = 0; i < reason.size();) {
    if (!is_digit(reason[i]) || (i > 0 && is_of_name(reason[i - 1]))) {
      text += reason[i++];
      continue;
    }
    while (i < reason.size() && (is_digit(reason[i]) || (reason[i] == '.' && is_digit(reason[i + 1])))) ++i;
    text += '#';
  }
  return text;
}

double combine(Combination combination, double a, double b, bool maximises) {
  switch (combination) {
    case Combination::worst:
      return maximises ? std::min(a, b) : std::max(a, b);
    case Combination::geometric_mean:
    case Combination::mean:
      return a + b;
  }
  return a;
}

}  // namespace

void ChunkResult::count_infeasible(const std::string& reason, std::uint64_t count) {
  points += count;
  reasons[without_numbers(reason)] += count;
}

bool shows_all(const Blueprint& b, const Space& space) {
  const bool all = b.study.keep ? *b.study.keep == Keep::all : space.size() <= kSmallStudy;
  if (all && space.size() > kMostShown) {
    throw spec::InputError(
        {{.place = b.study.search.place,
          .path = "keep",
          .message = fmt::format("{} points are more than can be kept, each with its figures", space.size()),
          .hint = "keep: front, or fewer points"}});
  }
  return all;
}

bool keeps_all(const Blueprint& b, const Space& space) {
  return b.study.search.method == Method::nsga2 || shows_all(b, space);
}

ChunkWorker::ChunkWorker(const Blueprint& blueprint, const Space& space, SharedSettings& settings)
    : b_(blueprint),
      space_(space),
      evaluator_(make_evaluator(blueprint, settings)),
      keeps_all_(keeps_all(blueprint, space)),
      at_(blueprint.study.axes.size()),
      slots_(blueprint.slots.size()) {}

void ChunkWorker::use_metrics_of(std::size_t workload) {
  const std::size_t count = metrics().size();
  std::copy_n(slots_.begin() + static_cast<std::ptrdiff_t>(b_.slots.metrics_of(workload)), count,
              slots_.begin() + static_cast<std::ptrdiff_t>(b_.slots.own_metrics()));
}

std::string ChunkWorker::broken_constraint(bool with_metrics) {
  const std::size_t times = with_metrics ? b_.workloads.size() : 1;
  for (std::size_t w = 0; w < times; ++w) {
    if (with_metrics) use_metrics_of(w);
    for (const BoundConstraint& constraint : b_.constraints) {
      if (constraint.takes_metrics != with_metrics || constraint.comparison.holds(slots_)) continue;
      return fmt::format("{}{}{}", kConstraint, constraint.text,
                         constraint.comparison.has_value(slots_) ? "" : ": a side has no value");
    }
  }
  return "";
}

double ChunkWorker::objective_value(const BoundObjective& objective) {
  double total = 0, weights = 0;
  for (std::size_t w = 0; w < b_.workloads.size(); ++w) {
    use_metrics_of(w);
    const double value = objective.expression.evaluate(slots_), weight = b_.workloads[w].weight;
    if (b_.workloads.size() == 1) return value;
    if (value < 0 && b_.study.combination == Combination::geometric_mean) {
      throw spec::InputError({{.place = objective.place,
                               .path = "objectives",
                               .message = fmt::format("'{}' is below zero at a point, and a geometric mean is of "
                                                      "numbers that are not",
                                                      objective.name),
                               .hint = "combine: mean, or worst"}});
    }
    const double part = b_.study.combination == Combination::geometric_mean ? weight * std::log(value)
                        : b_.study.combination == Combination::mean         ? weight * value
                                                                            : value;
    total = w == 0 ? part : combine(b_.study.combination, total, part, objective.maximises);
    weights += weight;
  }
  switch (b_.study.combination) {
    case Combination::geometric_mean:
      return std::exp(total / weights);
    case Combination::mean:
      return total / weights;
    case Combination::worst:
      return total;
  }
  return total;
}

Evaluator::Answer ChunkWorker::judge(Point& point) {
  fill_slots(b_, at_, slots_);
  for (std::size_t i = 0; i < b_.derived.size(); ++i) {
    if (!std::isfinite(slots_[b_.slots.axes + i]))
      return {.verdict = Verdict::impossible, .reason = fmt::format("{} has no value", b_.derived[i].path)};
  }
  if (std::string broken = broken_constraint(false); !broken.empty())
    return {.verdict = Verdict::impossible, .reason = std::move(broken)};
  Evaluator::Answer answer = evaluator_->evaluate(at_, slots_);
  if (answer.verdict != Verdict::evaluated) return answer;
  point.metrics.assign(slots_.begin() + static_cast<std::ptrdiff_t>(b_.slots.metrics_of(0)), slots_.end());
  answer.reason = broken_constraint(true);
  if (!answer.reason.empty()) return answer;
  point.objectives.clear();
  for (const BoundObjective& objective : b_.objectives) {
    point.objectives.push_back(objective_value(objective));
    if (std::isfinite(point.objectives.back())) continue;
    answer.reason = fmt::format("{} has no value", objective.name);
    return answer;
  }
  return answer;
}

ChunkResult ChunkWorker::evaluate(const Chunk& chunk) {
  ChunkResult result;
  const std::uint64_t group = b_.study.search.method == Method::best_parallelism ? space_.layouts() : 0;
  const std::size_t axes = b_.study.axes.size();
  for (std::uint64_t number = chunk.first; number < chunk.last;) {
    std::uint64_t next = number + 1;
    if (chunk.coordinates.empty()) {
      space_.locate(number, at_);
    } else {
      std::copy_n(chunk.coordinates.begin() + static_cast<std::ptrdiff_t>((number - chunk.first) * axes), axes,
                  at_.begin());
    }
    Point point;
    Evaluator::Answer answer = judge(point);
    if (answer.prunes && !keeps_all_ && space_.is_grid())
      next = answer.shared == 0 ? chunk.last : std::min(chunk.last, space_.next_after(number, answer.shared - 1));
    if (answer.verdict != Verdict::redundant) {
      const bool is_feasible = answer.reason.empty();
      if (is_feasible) {
        ++result.points;
        ++result.feasible;
      } else {
        result.count_infeasible(answer.reason, next - number);
      }
      if (is_feasible || keeps_all_) {
        point.number = number;
        point.at = at_;
        point.derived.assign(slots_.begin() + static_cast<std::ptrdiff_t>(b_.slots.axes),
                             slots_.begin() + static_cast<std::ptrdiff_t>(b_.slots.own_metrics()));
        point.reason = std::move(answer.reason);
        if (!is_feasible) point.objectives.clear();
        result.kept.push_back(std::move(point));
        if (!keeps_all_ && result.kept.size() > kMostBuffered) keep_survivors(result.kept, b_.objectives, group);
      }
    }
    number = next;
  }
  if (!keeps_all_) keep_survivors(result.kept, b_.objectives, group);
  return result;
}

}  // namespace mlosim::explore
