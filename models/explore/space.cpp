#include "models/explore/space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/explore/label.hpp"
#include "sim/units/check.hpp"

namespace mlosim::explore {
namespace {

constexpr std::uint64_t kMostPoints = std::uint64_t{1} << 50;

// SplitMix64 (Steele, Lea, Flood 2014): a well-mixed number from each counter.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

std::uint64_t draw(std::uint64_t seed, std::uint64_t axis, std::uint64_t point) {
  return mix(mix(mix(seed) ^ axis) ^ point);
}

// In [0, 1).
double share_of(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

}  // namespace

Space::Space(const Blueprint& blueprint) : blueprint_(blueprint) {
  const std::vector<Axis>& axes = blueprint.study.axes;
  const Search& search = blueprint.study.search;
  switch (search.method) {
    case Method::grid:
    case Method::best_parallelism:
      stride_.resize(axes.size());
      for (std::size_t a = axes.size(); a-- > 0;) {
        stride_[a] = size_;
        if (axes[a].choices.size() > kMostPoints / size_) {
          throw spec::InputError({{.place = search.place,
                                   .path = "axes",
                                   .message = "the axes multiply to more points than can be gone through",
                                   .hint = "method: random or nsga2, or fewer values"}});
        }
        size_ *= axes[a].choices.size();
        if (a + blueprint.searched_axes == axes.size()) layouts_ = size_;
      }
      return;
    case Method::random:
      size_ = search.points;
      return;
    case Method::latin_hypercube:
      size_ = search.points;
      for (std::size_t a = 0; a < axes.size(); ++a) {
        std::vector<std::uint32_t>& strata = strata_.emplace_back(size_);
        std::iota(strata.begin(), strata.end(), 0U);
        for (std::uint64_t i = size_ - 1; i > 0; --i)
          std::swap(strata[i], strata[draw(search.seed ^ 0x5eed, a, i) % (i + 1)]);
      }
      return;
    case Method::nsga2:
      size_ = search.population * (search.generations + 1);
      return;
  }
  MLOSIM_CHECK(false);
}

double Space::coordinate(const Axis& axis, double share) const {
  if (!axis.continuum) {
    const double count = static_cast<double>(axis.choices.size());
    return std::min(std::floor(share * count), count - 1);
  }
  const Continuum& c = *axis.continuum;
  const double high = c.whole ? c.high + 1 : c.high;  // of whole numbers each is as wide as the next
  const double x = c.logarithmic ? c.low * std::pow(high / c.low, share) : c.low + (high - c.low) * share;
  return c.whole ? std::clamp(std::floor(x), c.low, c.high) : x;
}

void Space::locate(std::uint64_t point, std::span<double> at) const {
  const std::vector<Axis>& axes = blueprint_.study.axes;
  const Search& search = blueprint_.study.search;
  for (std::size_t a = 0; a < axes.size(); ++a) {
    if (!stride_.empty()) {
      at[a] = static_cast<double>(point / stride_[a] % axes[a].choices.size());
    } else {
      const double within = share_of(draw(search.seed, a, point));
      at[a] = coordinate(axes[a], strata_.empty() ? within : (strata_[a][point] + within) / static_cast<double>(size_));
    }
  }
}

std::uint64_t Space::next_after(std::uint64_t point, std::size_t axis) const {
  MLOSIM_CHECK(!stride_.empty());
  return (point / stride_[axis] + 1) * stride_[axis];
}

void fill_slots(const Blueprint& b, std::span<const double> at, std::span<double> slots) {
  for (std::size_t a = 0; a < b.study.axes.size(); ++a) {
    const Axis& axis = b.study.axes[a];
    const std::size_t first = b.slots.axis[a];
    if (axis.continuum) {
      slots[first] = at[a];
      continue;
    }
    const Choice& choice = axis.choices[static_cast<std::size_t>(at[a])];
    for (std::size_t c = 0; c < axis.columns(); ++c) slots[first + c] = choice.numbers[c];
  }
  for (std::size_t i = 0; i < b.derived.size(); ++i) slots[b.slots.axes + i] = b.derived[i].expression.evaluate(slots);
}

std::vector<spec::Override> settings_of(const Blueprint& b, std::size_t workload, std::span<const double> at,
                                        std::span<const double> slots) {
  const BaseWorkload& w = b.workloads[workload];
  std::vector<spec::Override> settings;
  const auto number = [](double x, Dimension dimension, const spec::Place& place) {
    spec::Value value = spec::make_scalar(text_of_number(x, dimension), place.file);
    value.line = place.line;
    value.column = place.column;
    return value;
  };
  for (std::size_t a = 0; a < b.study.axes.size(); ++a) {
    if (!w.takes_axis[a]) continue;
    const Axis& axis = b.study.axes[a];
    for (std::size_t c = 0; c < axis.paths.size(); ++c) {
      settings.push_back({axis.paths[c], axis.continuum ? number(at[a], axis.dimensions[c], axis.place)
                                                        : axis.choices[static_cast<std::size_t>(at[a])].values[c]});
    }
  }
  for (std::size_t i = 0; i < b.derived.size(); ++i) {
    if (!w.takes_derived[i]) continue;
    settings.push_back({b.derived[i].path, number(slots[b.slots.axes + i], b.derived[i].expression.dimension(),
                                                  b.study.derived[i].place)});
  }
  return settings;
}

std::string label_of(const Axis& axis, double coordinate) {
  if (axis.continuum) return label_of_number(coordinate, axis.dimensions.front());
  return axis.choices[static_cast<std::size_t>(coordinate)].label;
}

}  // namespace mlosim::explore
