// Places of a torus, numbered along the first axis fastest, and what lies next to what; with a twist, where a slice has
// sides of k and 2k: a ring along a short axis comes back half of each long side further on. That shortens the ways
// along the long sides, by which an all-to-all is bound.
//
// Derived from the topology alone: no routing can send less than every pair's shortest way over all links together, and
// that is what we take. It gives 1.75 times the all-to-all of 4x4x8 and 1.39 times that of 4x8x8: upper bounds, since
// real routes are not balanced to the last link. (Which slices are offered twisted: Google Cloud's pages of TPU v4,
// v5p.)
#pragma once

#include <cstddef>
#include <optional>

#include "sim/net/torus.hpp"

namespace mlosim::net {

// Whether the slice is one that a fabric with twists twists: closed on all sides, of k and 2k.
bool takes_twist(const spec::Fabric& fabric, const SliceShape& shape);

// The place after `place` on an axis; nothing at the end of a line.
std::optional<std::size_t> next_place(const SliceShape& shape, bool is_twisted, std::size_t place, std::size_t axis);

// Hops from a place to another, on average over all (itself, too) of a twisted slice.
double mean_twisted_distance(const SliceShape& shape);

}  // namespace mlosim::net
