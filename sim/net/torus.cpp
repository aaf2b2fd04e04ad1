#include "sim/net/torus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "sim/net/traffic.hpp"
#include "sim/spec/diagnostics.hpp"

namespace mlosim::net {
namespace {

using Sides = std::vector<std::int64_t>;

// Splits `chips` into non-increasing sides, the i-th at most limits[i] and none above `longest`; keeps the split that
// comes first in lexicographic order, which has the shortest longest side. Limits are sorted, longest first.
void search_sides(const Sides& limits, std::size_t axis, std::int64_t chips, std::int64_t longest, Sides& sides,
                  Sides& best) {
  if (axis == limits.size()) {
    if (chips == 1 && (best.empty() || sides < best)) best = sides;
    return;
  }
  for (std::int64_t side = 1; side <= std::min({limits[axis], longest, chips}); ++side) {
    if (chips % side != 0) continue;
    sides[axis] = side;
    search_sides(limits, axis + 1, chips / side, side, sides, best);
  }
}

double links_of(const SliceAxis& axis) { return axis.is_ring ? 2 : 1; }

double links_of(const SliceShape& shape) {
  double links = 0;
  for (const SliceAxis& axis : shape) links += links_of(axis);
  return links;
}

// Steps in which an axis hears of its farthest chip.
double hops_across(const SliceShape& shape) {
  double hops = 0;
  for (const SliceAxis& axis : shape) hops += static_cast<double>(axis.is_ring ? axis.length / 2 : axis.length - 1);
  return hops;
}

// Time of the all-to-all's bytes on the busiest axis, links at their whole bandwidth.
Seconds exchange_volume(Bytes bytes, const SliceShape& shape, BytesPerSecond link) {
  Seconds longest;
  for (const SliceAxis& axis : shape) {
    const double cut = static_cast<double>(axis.length * axis.length / 4) / static_cast<double>(axis.length);
    longest = std::max(longest, cut * bytes / (links_of(axis) * link));
  }
  return longest;
}

}  // namespace

SliceShape slice_shape(const spec::Fabric& fabric, std::int64_t chips) {
  Sides limits = fabric.dimensions;
  std::sort(limits.begin(), limits.end(), std::greater<>());
  Sides sides(limits.size(), 1);
  Sides best;
  if (!limits.empty()) search_sides(limits, 0, chips, limits.front(), sides, best);
  if (best.empty()) {
    throw spec::InputError(
        fmt::format("{} chips form no slice of a torus of {}", chips, fmt::join(fabric.dimensions, "x")),
        "use a product of sides that fit into it, such as a power of two");
  }
  const bool whole_cubes = std::all_of(best.begin(), best.end(), [](std::int64_t side) { return side % 4 == 0; });
  SliceShape shape;
  for (std::size_t axis = 0; axis < best.size(); ++axis) {
    if (best[axis] == 1) continue;
    bool is_ring = false;
    switch (fabric.wraparound) {
      case spec::Wraparound::none:
        break;
      case spec::Wraparound::cubes_of_4:
        is_ring = whole_cubes;
        break;
      case spec::Wraparound::whole_axis:
        is_ring = best[axis] == limits[axis];
        break;
    }
    shape.push_back({.length = best[axis], .is_ring = is_ring});
  }
  return shape;
}

TorusPrice estimate_torus(const work::Collective& collective, const spec::Fabric& fabric) {
  const SliceShape shape = slice_shape(fabric, collective.ranks);
  const Seconds step = fabric.endpoint_latency + fabric.latency;
  Seconds hops = hops_across(shape) * step;
  Seconds volume = ring_traffic(collective).sent / (links_of(shape) * fabric.bandwidth);
  switch (collective.kind) {
    case work::CollectiveKind::all_gather:
    case work::CollectiveKind::reduce_scatter:
    case work::CollectiveKind::broadcast:
      break;
    case work::CollectiveKind::all_reduce:
      hops *= 2;
      break;
    case work::CollectiveKind::all_to_all:
      hops = fabric.endpoint_latency + hops_across(shape) * fabric.latency;
      volume = exchange_volume(collective.bytes, shape, fabric.bandwidth);
      break;
    case work::CollectiveKind::p2p:
      hops = step;
      volume = collective.bytes / fabric.bandwidth;
      break;
  }
  return {.time = fabric.collective_start + hops + volume / fabric.efficiency, .bound = fabric.latency + volume};
}

}  // namespace mlosim::net
