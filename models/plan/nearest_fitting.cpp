// The search for a layout that fits: every combination of a few changes, in the order of what they cost. A change that
// fits alone is not listed again with others beside it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "models/plan/training_memory.hpp"

namespace mlosim::plan {
namespace {

using graph::Recompute;
using Policy = Recompute::Policy;

// How far each of the changes is taken.
enum Change { sequence, zero, recompute, micro_batch, pipeline, tensor };
using Steps = std::array<int, 6>;

// What one step of a change costs, in rough percents of a step's time: sharded states cost a gather that overlaps,
// selective recomputation 2 to 4 %, full recomputation a third of the step, halved micro-batches and narrower matrices
// some efficiency, stages a larger bubble.
double cost_of(const Steps& steps) {
  constexpr double kZero = 1, kZero3 = 4, kSelective = 3, kFull = 30, kMicroBatch = 5, kPipeline = 8, kTensor = 10;
  double cost = steps[sequence] > 0 ? 0.5 : 0;
  cost += kZero * steps[zero] + (steps[zero] == 3 ? kZero3 : 0);
  cost += steps[recompute] == 1 ? kSelective : steps[recompute] == 2 ? kFull : 0;
  return cost + kMicroBatch * steps[micro_batch] + kPipeline * steps[pipeline] + kTensor * steps[tensor];
}

std::optional<TrainingLayout> changed(TrainingLayout layout, const Steps& steps) {
  const std::int64_t spread = std::int64_t{1} << (steps[pipeline] + steps[tensor]);
  if (layout.dp % spread != 0) return std::nullopt;
  layout.dp /= spread;
  layout.tp <<= steps[tensor];
  layout.pp <<= steps[pipeline];
  const std::int64_t parts = std::int64_t{1} << steps[micro_batch];
  if (layout.micro_batch % parts != 0) return std::nullopt;
  layout.micro_batch /= parts;
  if (steps[sequence] > 0) {
    if (layout.sp || layout.tp == 1) return std::nullopt;
    layout.sp = true;
  }
  layout.zero += steps[zero];
  if (steps[zero] > 0 && (layout.zero > 3 || layout.dp == 1)) return std::nullopt;
  if (steps[recompute] > 0) {
    const bool more = steps[recompute] == 2
                          ? layout.recompute.policy != Policy::full || layout.recompute.full_layers > 0
                          : layout.recompute.policy == Policy::none;
    if (!more) return std::nullopt;
    layout.recompute = {};
    layout.recompute.policy = steps[recompute] == 2 ? Policy::full : Policy::selective;
  }
  return layout;
}

std::string describe(const TrainingLayout& layout, const Steps& steps) {
  std::vector<std::string> parts;
  if (steps[tensor] > 0) parts.push_back(fmt::format("tp: {}", layout.tp));
  if (steps[sequence] > 0) parts.push_back("sp: true");
  if (steps[pipeline] > 0) parts.push_back(fmt::format("pp: {}", layout.pp));
  if (steps[tensor] + steps[pipeline] > 0) parts.push_back(fmt::format("dp: {}", layout.dp));
  if (steps[zero] > 0) parts.push_back(fmt::format("zero: {}", layout.zero));
  if (steps[micro_batch] > 0) parts.push_back(fmt::format("micro_batch: {}", layout.micro_batch));
  if (steps[recompute] > 0) parts.push_back(steps[recompute] == 2 ? "recompute: full" : "recompute: selective");
  return fmt::format("{}", fmt::join(parts, ", "));
}

bool goes_beyond(const Steps& steps, const Steps& other) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i] < other[i]) return false;
  }
  return true;
}

std::vector<Steps> combinations() {
  constexpr Steps kMost{1, 3, 2, 3, 3, 3};
  std::vector<Steps> all;
  Steps steps{};
  for (;;) {
    std::size_t digit = 0;
    while (digit < steps.size() && steps[digit] == kMost[digit]) steps[digit++] = 0;
    if (digit == steps.size()) break;
    ++steps[digit];
    all.push_back(steps);
  }
  std::stable_sort(all.begin(), all.end(), [](const Steps& a, const Steps& b) { return cost_of(a) < cost_of(b); });
  return all;
}

}  // namespace

std::vector<FittingLayout> nearest_fitting(const TrainingLayout& given, Bytes capacity, std::size_t count,
                                           const std::function<std::optional<Bytes>(const TrainingLayout&)>& total_of) {
  std::vector<FittingLayout> fitting;
  std::vector<Steps> taken;
  for (const Steps& steps : combinations()) {
    if (fitting.size() == count) break;
    if (std::any_of(taken.begin(), taken.end(), [&](const Steps& other) { return goes_beyond(steps, other); }))
      continue;
    const std::optional<TrainingLayout> layout = changed(given, steps);
    if (!layout) continue;
    const std::optional<Bytes> total = total_of(*layout);
    if (!total || *total > capacity) continue;
    taken.push_back(steps);
    fitting.push_back({.layout = *layout, .change = describe(*layout, steps), .total = *total});
  }
  return fitting;
}

}  // namespace mlosim::plan
