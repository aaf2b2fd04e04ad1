#include "models/explore/front.hpp"

#include <algorithm>
#include <utility>

namespace mlosim::explore {
namespace {

bool is_better(double a, double b, const BoundObjective& objective) { return objective.maximises ? a > b : a < b; }

// Candidates that nothing before or after them dominates, ascending.
std::vector<std::size_t> front_of(const std::vector<Point>& points, const std::vector<std::size_t>& candidates,
                                  const std::vector<BoundObjective>& objectives) {
  std::vector<std::size_t> front;
  for (const std::size_t i : candidates) {
    const auto& own = points[i].objectives;
    const bool is_dominated = std::any_of(front.begin(), front.end(), [&](std::size_t other) {
      return dominates(points[other].objectives, own, objectives);
    });
    if (is_dominated) continue;
    std::erase_if(front, [&](std::size_t other) { return dominates(own, points[other].objectives, objectives); });
    front.push_back(i);
  }
  return front;
}

std::vector<std::size_t> feasible_of(const std::vector<Point>& points) {
  std::vector<std::size_t> feasible;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].is_feasible()) feasible.push_back(i);
  }
  return feasible;
}

}  // namespace

bool dominates(std::span<const double> a, std::span<const double> b, const std::vector<BoundObjective>& objectives) {
  for (std::size_t i = 0; i < objectives.size(); ++i) {
    if (is_better(b[i], a[i], objectives[i])) return false;
  }
  return true;
}

std::vector<std::size_t> find_front(const std::vector<Point>& points, const std::vector<BoundObjective>& objectives) {
  return front_of(points, feasible_of(points), objectives);
}

std::vector<std::size_t> find_best(const std::vector<Point>& points, const std::vector<BoundObjective>& objectives,
                                   std::size_t count) {
  const auto is_before = [&](std::size_t a, std::size_t b) {
    const double x = points[a].objectives.front(), y = points[b].objectives.front();
    if (is_better(x, y, objectives.front())) return true;
    return !is_better(y, x, objectives.front()) && a < b;
  };
  // A heap with the worst of the best on top: what is worse than that need not be compared with the others.
  std::vector<std::size_t> best;
  for (const std::size_t i : feasible_of(points)) {
    if (best.size() == count && (count == 0 || !is_before(i, best.front()))) continue;
    const auto is_same = [&](std::size_t other) {
      return !points[i].at.empty() && points[other].at == points[i].at && points[other].derived == points[i].derived;
    };
    if (std::any_of(best.begin(), best.end(), is_same)) continue;
    if (best.size() == count) {
      std::pop_heap(best.begin(), best.end(), is_before);
      best.pop_back();
    }
    best.push_back(i);
    std::push_heap(best.begin(), best.end(), is_before);
  }
  std::sort_heap(best.begin(), best.end(), is_before);
  return best;
}

void keep_survivors(std::vector<Point>& points, const std::vector<BoundObjective>& objectives, std::uint64_t group) {
  std::vector<std::size_t> survivors = find_best(points, objectives, kBestKept);
  const std::vector<std::size_t> feasible = feasible_of(points);
  for (std::size_t first = 0; first < feasible.size();) {
    std::size_t last = first + 1;
    const auto group_of = [&](std::size_t i) { return group == 0 ? 0 : points[feasible[i]].number / group; };
    while (last < feasible.size() && group_of(last) == group_of(first)) ++last;
    const std::vector<std::size_t> front = front_of(
        points,
        {feasible.begin() + static_cast<std::ptrdiff_t>(first), feasible.begin() + static_cast<std::ptrdiff_t>(last)},
        objectives);
    survivors.insert(survivors.end(), front.begin(), front.end());
    first = last;
  }
  std::sort(survivors.begin(), survivors.end());
  survivors.erase(std::unique(survivors.begin(), survivors.end()), survivors.end());
  std::vector<Point> kept;
  for (const std::size_t i : survivors) kept.push_back(std::move(points[i]));
  points = std::move(kept);
}

}  // namespace mlosim::explore
