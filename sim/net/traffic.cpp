#include "sim/net/traffic.hpp"

#include <algorithm>

namespace mlosim::net {

RingTraffic ring_traffic(const work::Collective& collective) {
  const auto n = static_cast<double>(collective.ranks);
  const Bytes share = collective.bytes / n;
  switch (collective.kind) {
    case work::CollectiveKind::all_reduce: {
      const double steps = 2 * (n - 1);
      return {.steps = steps, .sent = steps * share, .chunk = share, .local = share};
    }
    case work::CollectiveKind::all_gather:
    case work::CollectiveKind::reduce_scatter:
    case work::CollectiveKind::all_to_all:
      return {.steps = n - 1, .sent = (n - 1) * share, .chunk = share, .local = share};
    case work::CollectiveKind::broadcast:
      return {.steps = n - 1, .sent = collective.bytes, .chunk = collective.bytes, .local = Bytes()};
    case work::CollectiveKind::p2p:
      return {.steps = 1, .sent = collective.bytes, .chunk = collective.bytes, .local = Bytes()};
  }
  return {};
}

Bytes least_traffic(const work::Collective& collective, bool reduces_in_network) {
  const Bytes ring = ring_traffic(collective).sent;
  const bool one_pass = reduces_in_network && collective.kind == work::CollectiveKind::all_reduce;
  return one_pass ? std::min(ring, collective.bytes) : ring;
}

}  // namespace mlosim::net
