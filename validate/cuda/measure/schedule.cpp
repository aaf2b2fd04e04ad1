#include "validate/cuda/measure/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mlosim::measure {
namespace {

// Guesses of what surrounds the samples; a run that is slower stops at its budget all the same.
constexpr Seconds kSetUp{0.03};
constexpr double kFillBytesPerSecond = 200e9;  // allocating, filling and checking buffers
constexpr Seconds kWarmUp{0.02};
constexpr Seconds kShortestReplay{1e-3};
constexpr int kReplays = 30;  // until the criterion usually holds

struct Queue {  // the works of one case in their order
  const Case* of;
  std::vector<std::size_t> works;
  std::size_t next = 0;
  Seconds used{0};

  bool is_empty() const { return next == works.size(); }
};

std::vector<std::size_t> strided(std::size_t count, std::uint64_t seed) {
  constexpr double kInverseGoldenRatio = 0.6180339887498949;
  auto stride = static_cast<std::size_t>(std::llround(static_cast<double>(count) * kInverseGoldenRatio));
  stride = std::max<std::size_t>(stride, 1);
  while (std::gcd(stride, count) != 1) ++stride;
  std::vector<std::size_t> order;
  std::size_t place = static_cast<std::size_t>(seed % count);
  for (std::size_t i = 0; i < count; ++i, place = (place + stride) % count) order.push_back(place);
  return order;
}

std::vector<Queue> queues_of(const std::vector<Work>& works, std::uint64_t seed) {
  std::vector<Queue> queues;
  for (std::size_t first = 0; first < works.size();) {
    std::size_t last = first;
    while (last < works.size() && works[last].of == works[first].of) ++last;
    Queue queue{.of = works[first].of, .works = {}};
    for (const std::size_t place : strided(last - first, seed)) queue.works.push_back(first + place);
    queues.push_back(std::move(queue));
    first = last;
  }
  return queues;
}

// The queue to take from next; null where all are empty.
Queue* next_queue(std::vector<Queue>& queues) {
  Queue* best = nullptr;
  Seconds best_group_used{0};
  for (Queue& queue : queues) {
    if (queue.is_empty()) continue;
    Seconds group_used{0};
    for (const Queue& other : queues)
      if (other.of->group == queue.of->group) group_used += other.used;
    const bool same_group = best != nullptr && best->of->group == queue.of->group;
    if (best == nullptr || (same_group ? queue.used < best->used : group_used < best_group_used)) {
      best = &queue;
      best_group_used = group_used;
    }
  }
  return best;
}

}  // namespace

Seconds estimate_time(const Plan& plan, const Criterion& criterion) {
  const Seconds around = kSetUp + Seconds(static_cast<double>(plan.memory_bytes) / kFillBytesPerSecond);
  if (plan.fixed_time > Seconds(0)) return around + plan.fixed_time;
  const Seconds replay = std::max(plan.launch_guess, kShortestReplay);
  const Seconds samples = std::clamp(kReplays * replay, replay, std::max(replay, criterion.max_time));
  return around + std::max(kWarmUp, 2 * replay) + samples;
}

std::vector<Work> balanced_order(std::vector<Work> works, std::uint64_t seed) {
  std::vector<Queue> queues = queues_of(works, seed);
  std::vector<Work> ordered;
  ordered.reserve(works.size());
  while (Queue* queue = next_queue(queues)) {
    Work& work = works[queue->works[queue->next++]];
    queue->used += work.estimate;
    ordered.push_back(std::move(work));
  }
  return ordered;
}

std::vector<Work> within_budget(std::vector<Work> works, Seconds budget) {
  std::vector<Work> fitting;
  Seconds used{0};
  for (Work& work : works) {
    if (used + work.estimate > budget) continue;
    used += work.estimate;
    fitting.push_back(std::move(work));
  }
  return fitting;
}

Seconds total_estimate(const std::vector<Work>& works) {
  Seconds total{0};
  for (const Work& work : works) total += work.estimate;
  return total;
}

}  // namespace mlosim::measure
