// Collectives on a torus of chips (TPU ICI): which slice a number of chips forms, and what a collective over a whole
// slice takes by the bucket algorithm on all axes at once.
//
// Each chip has, on each axis, two links where the axis is a ring and one that counts where it is a line (its end chips
// have no more). With w the bandwidth of a link, f the sustained efficiency, P the sum of those links, a the axes, S
// bytes:
//   all-gather, reduce-scatter  start + H·(endpoint + hop) + V/(f·P·w),  V = (n-1)/n·S
//   all-reduce                  twice the hops and the bytes
//   all-to-all                  start + endpoint + H·hop + max over a of cut(a)·S/(f·links(a)·w),  cut(a) = ⌊a²/4⌋/a;
//                               a twisted slice: mean distance / links of a chip (torus_places.hpp)
//   broadcast                   start + H·(endpoint + hop) + S/(f·P·w)
//   p2p (neighbours)            start + endpoint + hop + S/(f·w)
// Where a group's ranks alternate with those of k-1 others along an axis, its links count 1/k there, and hops k times.
// H sums ⌊a/2⌋ over rings and a-1 over lines. On a ring an all-to-all is a quarter of the all-gather of
// everything; on a line the middle link bounds it. Assumed: buckets are cut so that all axes end together. Source: the
// scaling book's rules; TPU v4 link latencies; all-gathers of TPU v7 on 4 chips. Axes longer than 2 and all-to-all were
// never measured.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/spec/system_spec.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

struct SliceAxis {
  std::int64_t length = 1;  // ranks of the group along it
  bool is_ring = false;
  std::int64_t sharers = 1;  // groups whose ranks alternate along it: neighbours are as many hops apart

  friend bool operator==(const SliceAxis&, const SliceAxis&) = default;
};
using SliceShape = std::vector<SliceAxis>;  // longest axis first; axes of length 1 are left out

// The slice that `chips` form: as near to a cube as fits into the fabric's dimensions (4 -> 2x2, 16 -> 4x2x2 or 4x4).
// Wraparound::cubes_of_4 closes all axes of a slice that is built of whole cubes of side 4, Wraparound::whole_axis each
// axis that is as long as the fabric's. Throws InputError where no such slice exists (17 chips of a 16x16 torus).
SliceShape slice_shape(const spec::Fabric& fabric, std::int64_t chips);

// The axes of a group of `ranks`, `stride` apart, in the slice that ranks x stride chips form: what lies between its
// ranks takes some axes, and a part of one where it must; of the ways to cut, the one that leaves the group most links.
SliceShape strided_shape(const spec::Fabric& fabric, std::int64_t ranks, std::int64_t stride);

// Links of a chip that count, of all axes: shared ones by their part.
double links_of(const SliceShape& shape);

// Hops to the farthest rank.
double hops_across(const SliceShape& shape);

// Of an all-to-all of a unit of bytes a rank, what the busiest link carries; without twists.
double longest_cut(const SliceShape& shape);

struct TorusPrice {
  Seconds time;
  Seconds bound;  // links at their whole bandwidth, and one hop
};

// Of ranks that stand in one pod.
TorusPrice estimate_torus(const work::Collective& collective, const spec::Fabric& fabric);

}  // namespace mlosim::net
