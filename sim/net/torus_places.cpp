#include "sim/net/torus_places.hpp"

#include <algorithm>
#include <vector>

namespace mlosim::net {
namespace {

std::size_t size_of(const SliceShape& shape) {
  std::size_t places = 1;
  for (const SliceAxis& axis : shape) places *= static_cast<std::size_t>(axis.length);
  return places;
}

}  // namespace

bool takes_twist(const spec::Fabric& fabric, const SliceShape& shape) {
  if (!fabric.twisted || shape.size() < 2) return false;
  const std::int64_t shortest = shape.back().length;  // sorted, longest first
  return shape.front().length == 2 * shortest && std::all_of(shape.begin(), shape.end(), [&](const SliceAxis& axis) {
           return axis.is_ring && axis.sharers == 1 && (axis.length == shortest || axis.length == 2 * shortest);
         });
}

std::optional<std::size_t> next_place(const SliceShape& shape, bool is_twisted, std::size_t place, std::size_t axis) {
  std::size_t stride = 1;
  for (std::size_t i = 0; i < axis; ++i) stride *= static_cast<std::size_t>(shape[i].length);
  const auto length = static_cast<std::size_t>(shape[axis].length);
  if (place / stride % length + 1 < length) return place + stride;
  if (!shape[axis].is_ring) return std::nullopt;
  std::size_t next = place - (length - 1) * stride;
  if (!is_twisted || shape[axis].length == shape.front().length) return next;
  stride = 1;
  for (const SliceAxis& other : shape) {
    const auto side = static_cast<std::size_t>(other.length);
    const std::size_t at = next / stride % side;
    if (other.length == shape.front().length) next = next - at * stride + (at + side / 2) % side * stride;
    stride *= side;
  }
  return next;
}

double mean_twisted_distance(const SliceShape& shape) {
  const std::size_t places = size_of(shape);
  std::vector<std::vector<std::size_t>> near(places);
  for (std::size_t place = 0; place < places; ++place) {
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      const std::size_t next = *next_place(shape, true, place, axis);
      near[place].push_back(next);
      near[next].push_back(place);
    }
  }
  // All places are alike: from one, in order of distance.
  std::vector<std::size_t> reached{0}, distance(places);
  std::vector<bool> is_reached(places);
  is_reached[0] = true;
  double sum = 0;
  for (std::size_t i = 0; i < reached.size(); ++i) {
    sum += static_cast<double>(distance[reached[i]]);
    for (const std::size_t next : near[reached[i]]) {
      if (is_reached[next]) continue;
      is_reached[next] = true;
      distance[next] = distance[reached[i]] + 1;
      reached.push_back(next);
    }
  }
  return sum / static_cast<double>(places);
}

}  // namespace mlosim::net
