#include "sim/net/torus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "sim/net/torus_places.hpp"
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

double links_of(const SliceAxis& axis) { return (axis.is_ring ? 2.0 : 1.0) / static_cast<double>(axis.sharers); }

// Messages one after another, from rank to rank along each axis.
double messages_across(const SliceShape& shape) {
  double messages = 0;
  for (const SliceAxis& axis : shape) messages += static_cast<double>(axis.is_ring ? axis.length / 2 : axis.length - 1);
  return messages;
}

// Hops between neighbours on the best axis, which as many groups share.
double nearest(const SliceShape& shape) {
  std::int64_t least = shape.front().sharers;
  for (const SliceAxis& axis : shape) least = std::min(least, axis.sharers);
  return static_cast<double>(least);
}

// Of an all-to-all of a unit of bytes a rank, what the busiest link carries.
double busiest_share(const spec::Fabric& fabric, const SliceShape& shape) {
  if (!takes_twist(fabric, shape)) return longest_cut(shape);
  return mean_twisted_distance(shape) / (2 * static_cast<double>(shape.size()));
}

// Cuts `inner` chips out of the sides, in every way; keeps the one that leaves the most links to what is outside them.
void search_cuts(const SliceShape& sides, std::size_t at, std::int64_t inner, SliceShape& outside, SliceShape& best) {
  if (at == sides.size()) {
    if (inner == 1 && (best.empty() || links_of(outside) > links_of(best))) best = outside;
    return;
  }
  for (std::int64_t part = 1; part <= std::min(inner, sides[at].length); ++part) {
    if (inner % part != 0 || sides[at].length % part != 0) continue;
    const bool is_left = sides[at].length > part;
    if (is_left) outside.push_back({.length = sides[at].length / part, .is_ring = sides[at].is_ring, .sharers = part});
    search_cuts(sides, at + 1, inner / part, outside, best);
    if (is_left) outside.pop_back();
  }
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

SliceShape strided_shape(const spec::Fabric& fabric, std::int64_t ranks, std::int64_t stride) {
  const SliceShape whole = slice_shape(fabric, ranks * stride);
  if (stride == 1) return whole;
  SliceShape outside, best;
  search_cuts(whole, 0, stride, outside, best);
  return best;
}

double links_of(const SliceShape& shape) {
  double links = 0;
  for (const SliceAxis& axis : shape) links += links_of(axis);
  return links;
}

double hops_across(const SliceShape& shape) {
  double hops = 0;
  for (const SliceAxis& axis : shape)
    hops += static_cast<double>((axis.is_ring ? axis.length / 2 : axis.length - 1) * axis.sharers);
  return hops;
}

double longest_cut(const SliceShape& shape) {
  double longest = 0;
  for (const SliceAxis& axis : shape) {
    const double cut = static_cast<double>(axis.length * axis.length / 4) / static_cast<double>(axis.length);
    longest = std::max(longest, cut / links_of(axis));
  }
  return longest;
}

TorusPrice estimate_torus(const work::Collective& collective, const spec::Fabric& fabric) {
  const SliceShape shape = strided_shape(fabric, collective.ranks, collective.stride);
  Seconds hops = messages_across(shape) * fabric.endpoint_latency + hops_across(shape) * fabric.latency;
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
      volume = busiest_share(fabric, shape) * collective.bytes / fabric.bandwidth;
      break;
    case work::CollectiveKind::p2p:
      hops = fabric.endpoint_latency + nearest(shape) * fabric.latency;
      volume = nearest(shape) * collective.bytes / fabric.bandwidth;
      break;
  }
  return {.time = fabric.collective_start + hops + volume / fabric.efficiency, .bound = fabric.latency + volume};
}

}  // namespace mlosim::net
